# What a build gives to others: the shared library, and what `cmake --install` and `cpack` put where. Components: runtime (no libtorch) and
# workbench. Installed files name no path of the checkout (tests/install): libraries find each other by $ORIGIN, and debug information stays
# in the build folder.

include(CMakePackageConfigHelpers)

set(HEDGE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/hedge)

# hedge_shared_library(TARGET NAME name COMPONENT component ROOMS rooms… [LINKS targets…]): a shared library of the objects of `rooms`, which
# hold what is promised, and of what these need from other rooms. Nothing is compiled again.
function(hedge_shared_library target)
  cmake_parse_arguments(ARG "" "NAME;COMPONENT" "ROOMS;LINKS" ${ARGN})
  set(objects)
  set(rooms)
  foreach(room ${ARG_ROOMS})
    list(APPEND objects $<TARGET_OBJECTS:hedge_${room}>)
    list(APPEND rooms hedge_${room})
  endforeach()
  add_library(${target} SHARED ${objects})
  # $ORIGIN/hedge: OpenVINO's libraries of an installation; $ORIGIN/../openvino/libs: those of its wheel, beside ours in site-packages.
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME ${ARG_NAME} VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib
                        LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/lib${ARG_NAME}.map
                        INSTALL_RPATH "$ORIGIN:$ORIGIN/hedge:$ORIGIN/../openvino/libs")
  target_link_libraries(${target} PUBLIC ${ARG_LINKS} PRIVATE ${rooms})
  target_link_options(${target} PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/lib${ARG_NAME}.map -Wl,--no-undefined -Wl,--gc-sections)
  target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} INTERFACE cxx_std_20)
  install(TARGETS ${target} EXPORT hedge-${ARG_COMPONENT} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${ARG_COMPONENT})
  install(EXPORT hedge-${ARG_COMPONENT} NAMESPACE hedge:: DESTINATION ${HEDGE_CMAKE_DIR} COMPONENT ${ARG_COMPONENT})
endfunction()

hedge_shared_library(hedge_runtime_library NAME hedge COMPONENT runtime
                     ROOMS core data model routing oip edge edge_openvino model_openvino capi)
set_target_properties(hedge_runtime_library PROPERTIES EXPORT_NAME hedge)

if(TARGET hedge_workflow)
  # libhedge.so comes first: what it shows is taken from there, and the rest of the rooms' code from their static libraries.
  hedge_shared_library(hedge_workbench_library NAME hedge-workbench COMPONENT workbench ROOMS workflow LINKS hedge_runtime_library)
  set_target_properties(hedge_workbench_library PROPERTIES EXPORT_NAME workbench)
endif()

# Headers: the promised ones, and nothing else.
set(workbench_headers ${CMAKE_SOURCE_DIR}/include/hedge/router_fit.h ${CMAKE_SOURCE_DIR}/include/hedge/workflow.h)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/hedge DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT runtime
        FILES_MATCHING PATTERN "*.h" PATTERN router_fit.h EXCLUDE PATTERN workflow.h EXCLUDE)
install(FILES ${workbench_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hedge COMPONENT workbench)

install(TARGETS hedge-edge hedge-cloud hedge-gateway RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)

# OpenVINO: the runtime, what reads .onnx, .tflite and IR, the CPU's plugin, and its own TBB.
get_filename_component(openvino_libs ${OpenVINO_DIR}/../libs ABSOLUTE)
file(GLOB openvino_files ${openvino_libs}/libopenvino.so.* ${openvino_libs}/libopenvino_ir_frontend.so.* ${openvino_libs}/libopenvino_onnx_frontend.so.*
     ${openvino_libs}/libopenvino_tensorflow_lite_frontend.so.* ${openvino_libs}/libopenvino_*_cpu_plugin.so ${openvino_libs}/libtbb.so.*
     ${openvino_libs}/libtbbmalloc.so.* ${openvino_libs}/libtbbbind*.so.* ${openvino_libs}/libhwloc.so.*)
install(FILES ${openvino_files} DESTINATION ${CMAKE_INSTALL_LIBDIR}/hedge COMPONENT runtime)

configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/hedge-config.cmake.in ${CMAKE_BINARY_DIR}/hedge-config.cmake
                              INSTALL_DESTINATION ${HEDGE_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/hedge-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/hedge-config.cmake ${CMAKE_BINARY_DIR}/hedge-config-version.cmake DESTINATION ${HEDGE_CMAKE_DIR} COMPONENT runtime)
configure_file(${CMAKE_SOURCE_DIR}/cmake/hedge.pc.in ${CMAKE_BINARY_DIR}/hedge.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/hedge.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT runtime)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/THIRD_PARTY.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/hedge COMPONENT runtime)

if(TARGET hedge)
  install(TARGETS hedge RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT workbench)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hedge)
set(CPACK_PACKAGE_VENDOR "Hedge")
set(CPACK_PACKAGE_CONTACT "Hedge maintainers <hedge@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Hybrid edge-cloud inference for image classification")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL runtime)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME hedge)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Where the workbench's needs are found that the runtime's package brings.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR}/lib ${openvino_libs})
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_STRIP_FILES ON)
if(TARGET hedge)
  list(APPEND CPACK_COMPONENTS_ALL workbench)
  set(CPACK_DEBIAN_WORKBENCH_PACKAGE_NAME hedge-workbench)
  set(CPACK_DEBIAN_WORKBENCH_PACKAGE_DEPENDS "hedge (= ${PROJECT_VERSION})")
  set(CPACK_DEBIAN_WORKBENCH_PACKAGE_RECOMMENDS libopenblas0-openmp)  # the reference BLAS is about fifty times slower
  set(CPACK_COMPONENT_WORKBENCH_DESCRIPTION "Trains, evaluates and deploys hybrids; needs libtorch.")
endif()
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Runs hybrids: hedge-edge, hedge-cloud, hedge-gateway and libhedge with its headers.")
include(CPack)
