#!/usr/bin/env bash
# build.sh MODEL OUT.elf: the firmware (main.cc) around the folder that "hedge mcu export" wrote, for QEMU's M7 board. Exit 77: no compiler.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$1 out=$2
compiler=${ARM_CXX:-arm-none-eabi-g++}
command -v "$compiler" >/dev/null || {
  printf 'firmware/build.sh: %s is not installed (scripts/setup.sh mcu)\n' "$compiler" >&2
  exit 77
}
flags=(-mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mthumb -mfloat-abi=hard -std=c++20 -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics
  -fno-unwind-tables -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -Wall -Wextra
  -I"$here" -I"$model" -I"$model/include" -I"$here/../src")
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
# The line's code small, the network's fast.
"$compiler" "${flags[@]}" -Os -c "$here/main.cc" -o "$objects/main.o"
"$compiler" "${flags[@]}" -Os -c "$here/../src/micro/platform/startup.cc" -o "$objects/startup.o"
number=0
while read -r source; do
  "$compiler" "${flags[@]}" -O3 -c "$source" -o "$objects/model_$((number += 1)).o"
done < <(find "$model" -maxdepth 2 -name '*.cc' ! -name 'main.cc' ! -path '*/example*' | sort)
mkdir -p "$(dirname "$out")"
"$compiler" "${flags[@]}" "$objects"/*.o -nostartfiles -nostdlib -T "$here/../src/micro/platform/mps2.ld" -Wl,--gc-sections -lc -lgcc -o "$out"
