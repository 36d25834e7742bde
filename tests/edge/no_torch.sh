#!/usr/bin/env bash
# no_torch.sh PROGRAM: fails where PROGRAM needs libtorch, directly or through a library, or does not find one of its own.
set -euo pipefail
libraries=$(ldd "$1")
if grep -E 'libtorch|libc10|not found' <<<"$libraries"; then
  echo "$1 must run where libtorch is not installed" >&2
  exit 1
fi
