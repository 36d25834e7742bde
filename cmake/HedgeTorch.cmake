# hedge_torch: libtorch as one interface target, its headers as the system's. Debian's 1.13, or the one in HEDGE_TORCH_ROOT: a folder with
# include/ and lib/, such as site-packages/torch of PyPI's wheel (`make setup TORCH=2` lays one out) or an unpacked libtorch.

set(HEDGE_TORCH_ROOT "" CACHE PATH "folder of a libtorch 2 (with include/ and lib/); empty: Debian's libtorch-dev")

add_library(hedge_torch INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(hedge_torch INTERFACE -fpch-preprocess)  # lets ccache see through precompiled headers
endif()

if(NOT HEDGE_TORCH_ROOT)
  find_package(Torch QUIET REQUIRED)
  # Debian's config lists the same libraries by path and by target; one interface target hides that.
  target_include_directories(hedge_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(hedge_torch INTERFACE ${TORCH_LIBRARIES})
  return()
endif()

# Its own CMake package asks for CUDA's compiler where it was built with CUDA; what computes on the CPU needs these two libraries only. Those
# of a GPU are loaded when they are asked for (train/device.h).
set(torch_api ${HEDGE_TORCH_ROOT}/include/torch/csrc/api/include)
set(torch_libraries ${HEDGE_TORCH_ROOT}/lib/libtorch_cpu.so ${HEDGE_TORCH_ROOT}/lib/libc10.so)
foreach(file ${torch_api}/torch/torch.h ${torch_libraries})
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "HEDGE_TORCH_ROOT is no libtorch: ${file} is not there. `make setup TORCH=2` sets one up; with a wheel of your own, name its "
                        "folder site-packages/torch")
  endif()
endforeach()
file(STRINGS ${HEDGE_TORCH_ROOT}/lib/libc10.so new_strings REGEX "__cxx11" LIMIT_COUNT 1)
if(NOT new_strings)
  message(FATAL_ERROR "the libtorch in ${HEDGE_TORCH_ROOT} has the old ABI of std::string and cannot be linked beside Debian's libraries: take "
                      "PyPI's torch 2.7 or newer, or the libtorch that is called cxx11 ABI")
endif()
target_include_directories(hedge_torch SYSTEM INTERFACE ${HEDGE_TORCH_ROOT}/include ${torch_api})
target_link_libraries(hedge_torch INTERFACE ${torch_libraries})
list(APPEND CMAKE_INSTALL_RPATH ${HEDGE_TORCH_ROOT}/lib)
