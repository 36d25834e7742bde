#!/usr/bin/env bash
# no_torch.sh PROGRAM [LIBRARY]: fails where PROGRAM needs libtorch, or LIBRARY, directly or through a library, or does not find one of its own.
set -euo pipefail
libraries=$(ldd "$1")
if grep -E "libtorch|libc10|not found${2:+|$2}" <<<"$libraries"; then
  echo "$1 must run where libtorch${2:+ and $2} is not installed" >&2
  exit 1
fi
