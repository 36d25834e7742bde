# Programs for Cortex-M, beside the host's build: compiled by arm-none-eabi-g++ (where it is installed), run in QEMU by scripts/qemu.sh.

find_program(HEDGE_ARM_CXX arm-none-eabi-g++ DOC "the cross compiler for Cortex-M (Debian: gcc-arm-none-eabi, libstdc++-arm-none-eabi-newlib)")

set(HEDGE_MCU_TARGETS m4 m7 m55)
set(HEDGE_MCU_FLAGS_m4 -mcpu=cortex-m4 -mfpu=fpv4-sp-d16)
set(HEDGE_MCU_FLAGS_m7 -mcpu=cortex-m7 -mfpu=fpv5-sp-d16)
set(HEDGE_MCU_FLAGS_m55 -mcpu=cortex-m55)
set(HEDGE_MCU_SCRIPT_m4 mps2.ld)
set(HEDGE_MCU_SCRIPT_m7 mps2.ld)
set(HEDGE_MCU_SCRIPT_m55 an547.ld)
set(HEDGE_MCU_COMMON -std=c++20 -mthumb -mfloat-abi=hard -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables
    -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -Wall -Wextra -Wconversion)

# hedge_mcu_program(NAME TARGET m4|m7|m55 SOURCES … [INCLUDES folders…] [FLAGS flags…] [OPTIMISE -O3] [ALL]): ${CMAKE_BINARY_DIR}/mcu/NAME.elf
# and the target NAME, part of `all` only on request. FLAGS also go to the linker, e.g. -Wl,--defsym=RAM_SIZE=320K. Nothing where there is no
# compiler.
function(hedge_mcu_program name)
  cmake_parse_arguments(ARG "ALL" "TARGET;OPTIMISE" "SOURCES;INCLUDES;FLAGS" ${ARGN})
  if(NOT HEDGE_ARM_CXX)
    return()
  endif()
  if(NOT ARG_OPTIMISE)
    set(ARG_OPTIMISE -O3)
  endif()
  set(platform ${CMAKE_SOURCE_DIR}/src/micro/platform)
  set(script ${platform}/${HEDGE_MCU_SCRIPT_${ARG_TARGET}})
  set(elf ${CMAKE_BINARY_DIR}/mcu/${name}.elf)
  set(includes -I${CMAKE_SOURCE_DIR}/src)
  foreach(folder ${ARG_INCLUDES})
    list(APPEND includes -I${folder})
  endforeach()
  # Headers a program may include: all of the room, and what lies beside its sources.
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/micro/*.h ${CMAKE_SOURCE_DIR}/src/micro/internal/*.h ${platform}/*.h)
  foreach(source ${ARG_SOURCES})
    get_filename_component(folder ${source} DIRECTORY)
    file(GLOB beside CONFIGURE_DEPENDS ${folder}/*.h)
    list(APPEND headers ${beside})
  endforeach()
  add_custom_command(
    OUTPUT ${elf}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/mcu
    COMMAND ${HEDGE_ARM_CXX} ${HEDGE_MCU_FLAGS_${ARG_TARGET}} ${HEDGE_MCU_COMMON} ${ARG_OPTIMISE} ${includes} ${ARG_SOURCES} ${platform}/startup.cc
            -nostartfiles -nostdlib -T ${script} -Wl,--gc-sections ${ARG_FLAGS} -lc -lgcc -o ${elf}
    DEPENDS ${ARG_SOURCES} ${headers} ${platform}/startup.cc ${script} ${CMAKE_SOURCE_DIR}/cmake/HedgeMcu.cmake
    COMMENT "${name} (${ARG_TARGET})" VERBATIM)
  set(all "")
  if(ARG_ALL)
    set(all ALL)
  endif()
  add_custom_target(${name} ${all} DEPENDS ${elf})
endfunction()

# hedge_mcu_test(NAME …): the same program as a ctest entry of label `slow`, passed where its status is 0; skipped where compiler or emulator
# is missing.
function(hedge_mcu_test name)
  cmake_parse_arguments(ARG "" "TARGET" "" ${ARGN})
  if(HEDGE_ARM_CXX)
    hedge_mcu_program(${name} ALL ${ARGN})
    add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/scripts/qemu.sh ${ARG_TARGET} ${CMAKE_BINARY_DIR}/mcu/${name}.elf)
  else()
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: no arm-none-eabi-g++ (scripts/setup.sh mcu)")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS slow SKIP_RETURN_CODE 77 SKIP_REGULAR_EXPRESSION "^skipped" TIMEOUT 300)
endfunction()
