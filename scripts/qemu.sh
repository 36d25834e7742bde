#!/usr/bin/env bash
# qemu.sh m4|m7|m55 ELF [QEMU OPTION…]: runs a bare-metal program on QEMU's board for that core, an instruction being 128 ns of virtual
# time, so that counts are exact (src/micro/platform/platform.h). The program's texts go to stderr, its status is the exit status.
set -euo pipefail
target=$1 elf=$2
shift 2
case $target in
  m4) machine=mps2-an386 ;;
  m7) machine=mps2-an500 ;;
  m55) machine=mps3-an547 ;;
  *)
    printf 'qemu.sh: no target "%s"; there are m4, m7, m55\n' "$target" >&2
    exit 2
    ;;
esac
command -v qemu-system-arm >/dev/null || {
  printf 'qemu.sh: qemu-system-arm is not installed (scripts/setup.sh mcu)\n' >&2
  exit 77
}
exec qemu-system-arm -M "$machine" -nographic -monitor none -serial none -icount shift=7,align=off,sleep=off \
  -semihosting-config enable=on,target=native -kernel "$elf" "$@" </dev/null
