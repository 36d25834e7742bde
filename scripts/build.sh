#!/usr/bin/env bash
# build.sh PRESET [TARGET…]: configures a CMake preset where that was not done since the presets changed, then builds the targets (default: all of it).
# Jobs: a core each, but not more than the memory carries (JOBS overrides).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
folder=build/$preset
memory_gib=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
jobs=${JOBS:-$(nproc)}
[[ -n ${JOBS:-} || $jobs -le $((memory_gib / 2)) ]] || jobs=$((memory_gib / 2 > 0 ? memory_gib / 2 : 1))

if [[ ! -f $folder/build.ninja || CMakePresets.json -nt $folder/build.ninja ]]; then
  mkdir -p "$folder"
  cmake --preset "$preset" >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2
    exit 1
  }
  touch "$folder/build.ninja" # also where CMake found it unchanged
fi
quiet=()
[[ -t 1 ]] || quiet=(--quiet)
NINJA_STATUS='[%f/%t, %es] ' ninja -C "$folder" "${quiet[@]}" -j "$jobs" "$@"
