# Text files as std::string_views inside a library.
#
# hedge_embed(TARGET NAMESPACE ns ASSETS name=file …) makes one C++ source with `std::string_view ns::name()` an asset and adds it
# to TARGET. Who uses them declares the functions in a header of its own. The source is made again when a file changes.
# hedge_embed_files(TARGET NAMESPACE ns FILES name=file …) makes one table of them instead, `std::span<const std::pair<std::string_view,
# std::string_view>> ns::files()`: names may hold anything but "=" and "|".
# An asset is text: no zero bytes, and not the raw-string delimiter below (checked).

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE AND DEFINED FILES)
  # At build time: cmake -DNAMESPACE=… -DOUTPUT=… "-DFILES=name=file|name=file" -P HedgeEmbed.cmake
  set(source "// Made by cmake/HedgeEmbed.cmake.\n#include <span>\n#include <string_view>\n#include <utility>\n\nnamespace ${NAMESPACE} {\n")
  string(APPEND source "using Entry = std::pair<std::string_view, std::string_view>;\nnamespace {\nconstexpr Entry kFiles[] = {\n")
  string(REPLACE "|" ";" files "${FILES}")
  foreach(entry ${files})
    string(REGEX MATCH "^([^=]+)=(.+)$" parts "${entry}")
    set(name "${CMAKE_MATCH_1}")
    file(READ "${CMAKE_MATCH_2}" content)
    string(FIND "${content}" ")hedge-asset\"" clash)
    if(NOT clash EQUAL -1)
      message(FATAL_ERROR "${name} holds the delimiter of embedded assets")
    endif()
    string(APPEND source "{\"${name}\", R\"hedge-asset(${content})hedge-asset\"},\n")
  endforeach()
  file(WRITE "${OUTPUT}" "${source}};\n}  // namespace\nstd::span<const Entry> files();\nstd::span<const Entry> files() { return kFiles; }\n}  // namespace ${NAMESPACE}\n")
  return()
endif()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  # At build time: cmake -DNAMESPACE=… -DOUTPUT=… "-DASSETS=name=file|name=file" -P HedgeEmbed.cmake
  set(source "// Made by cmake/HedgeEmbed.cmake.\n#include <string_view>\n\nnamespace ${NAMESPACE} {\n")
  string(REPLACE "|" ";" assets "${ASSETS}")
  foreach(asset ${assets})
    string(REGEX MATCH "^([A-Za-z_0-9]+)=(.+)$" parts "${asset}")
    set(name ${CMAKE_MATCH_1})
    file(READ "${CMAKE_MATCH_2}" content)
    string(FIND "${content}" ")hedge-asset\"" clash)
    if(NOT clash EQUAL -1)
      message(FATAL_ERROR "${CMAKE_MATCH_2} holds the delimiter of embedded assets")
    endif()
    string(APPEND source "std::string_view ${name}();\nstd::string_view ${name}() {\n  return R\"hedge-asset(${content})hedge-asset\";\n}\n")
  endforeach()
  file(WRITE "${OUTPUT}" "${source}}  // namespace ${NAMESPACE}\n")
  return()
endif()

set(HEDGE_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(hedge_embed target)
  cmake_parse_arguments(ARG "" "NAMESPACE" "ASSETS" ${ARGN})
  set(files)
  foreach(asset ${ARG_ASSETS})
    string(REGEX REPLACE "^[^=]+=" "" file "${asset}")
    if(NOT EXISTS "${file}")
      message(FATAL_ERROR "${target}: the file to embed is missing: ${file}")
    endif()
    list(APPEND files "${file}")
  endforeach()
  string(REPLACE ";" "|" assets "${ARG_ASSETS}")
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}_assets.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${ARG_NAMESPACE} -DOUTPUT=${output} "-DASSETS=${assets}" -P ${HEDGE_EMBED_SCRIPT}
    DEPENDS ${files} ${HEDGE_EMBED_SCRIPT}
    COMMENT "Embedding the assets of ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

function(hedge_embed_files target)
  cmake_parse_arguments(ARG "" "NAMESPACE" "FILES" ${ARGN})
  set(sources)
  foreach(entry ${ARG_FILES})
    string(REGEX REPLACE "^[^=]+=" "" file "${entry}")
    list(APPEND sources "${file}")
  endforeach()
  string(REPLACE ";" "|" files "${ARG_FILES}")
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}_files.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${ARG_NAMESPACE} -DOUTPUT=${output} "-DFILES=${files}" -P ${HEDGE_EMBED_SCRIPT}
    DEPENDS ${sources} ${HEDGE_EMBED_SCRIPT}
    COMMENT "Embedding files of ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
