#!/usr/bin/env bash
# step.sh NAME COMMAND…: runs COMMAND between a line that names it and one that tells its time. For the Makefile.
set -euo pipefail
name=$1
shift
printf '== %s\n' "$name"
start=$SECONDS code=0
"$@" || code=$?
if [[ $code -eq 0 ]]; then printf '== %s: done in %d s\n' "$name" "$((SECONDS - start))"; else printf '== %s: FAILED after %d s (exit %d)\n' "$name" "$((SECONDS - start))" "$code" >&2; fi
exit "$code"
