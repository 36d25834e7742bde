#!/usr/bin/env bash
# run.sh ELF SERIAL [QEMU OPTION…]: the firmware on QEMU's M7 board, its serial line at SERIAL, e.g. tcp:127.0.0.1:5555,server=on,wait=off.
# An instruction is 128 ns of virtual time, so counts are exact; where the core sleeps, waiting, virtual time goes with the clock on the wall
# (sleep=on), so timeouts are neither skipped nor stretched by a busy machine's arithmetic. Exit 77: no QEMU.
set -euo pipefail
elf=$1 serial=$2
shift 2
command -v qemu-system-arm >/dev/null || {
  printf 'firmware/run.sh: qemu-system-arm is not installed (scripts/setup.sh mcu)\n' >&2
  exit 77
}
exec qemu-system-arm -M mps2-an500 -display none -monitor none -serial "$serial" -icount shift=7,align=off,sleep=on \
  -semihosting-config enable=on,target=native -kernel "$elf" "$@" </dev/null
