#!/usr/bin/env bash
# build.sh PRESET [TARGET…]: configures a CMake preset where that was not done since the presets or what is installed changed, then builds the
# targets (default: all of it). Jobs: a core each, but not more than the memory carries (JOBS overrides).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
folder=build/$preset
memory_gib=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
jobs=${JOBS:-$(nproc)}
[[ -n ${JOBS:-} || $jobs -le $((memory_gib / 2)) ]] || jobs=$((memory_gib / 2 > 0 ? memory_gib / 2 : 1))

# What a configuration depends on beside CMake's own files: the presets, the packages' versions, the wheels. CMake looks once for what it finds:
# a compiler that set-up installs later is seen only where it is configured again.
configured_with() {
  sha256sum CMakePresets.json
  grep -oE '^[a-z][^ ]*' scripts/packages.txt | xargs dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n' 2>/dev/null || true
  sha256sum .venv/.hedge-stamp-* .venv-torch2/.hedge-stamp-* 2>/dev/null || true
}

now=$(configured_with)
if [[ ! -f $folder/build.ninja || ! -f $folder/configured_with || $(<"$folder/configured_with") != "$now" ]]; then
  mkdir -p "$folder"
  rm -f "$folder/configured_with"
  cmake --preset "$preset" >"$folder/configure.log" 2>&1 || {
    cat "$folder/configure.log" >&2
    exit 1
  }
  printf '%s\n' "$now" >"$folder/configured_with"
fi
quiet=()
[[ -t 1 ]] || quiet=(--quiet)
NINJA_STATUS='[%f/%t, %es] ' ninja -C "$folder" "${quiet[@]}" -j "$jobs" "$@"
