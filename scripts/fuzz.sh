#!/usr/bin/env bash
# fuzz.sh FOLDER SECONDS: runs every fuzz target in FOLDER/bin for SECONDS each, from the seeds in tests/fuzz/seeds and tests/golden
# and from what earlier runs kept in FOLDER/corpus. What it finds stays in FOLDER/findings.
set -euo pipefail
folder=$(realpath "$1")
seconds=$2
cd "$(dirname "$0")/.."
found=0
shopt -s nullglob
targets=("$folder"/bin/fuzz_*)
[[ ${#targets[@]} -gt 0 ]] || { echo "fuzz: no targets in $folder/bin" >&2; exit 1; }
for target in "${targets[@]}"; do
  name=$(basename "$target")
  corpus=$folder/corpus/$name findings=$folder/findings/$name
  mkdir -p "$corpus" "$findings"
  seeds=(tests/golden)
  [[ ! -d tests/fuzz/seeds/$name ]] || seeds+=("tests/fuzz/seeds/$name")
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=65536 -artifact_prefix="$findings/" \
    "$corpus" "${seeds[@]}" >"$folder/$name.log" 2>&1; then
    printf 'fuzz: %-18s clean, %s\n' "$name" "$(grep -oE 'Done [0-9]+ runs in [0-9]+ second' "$folder/$name.log" || true)s"
  else
    found=1
    printf 'fuzz: %-18s FOUND something; see %s and %s\n' "$name" "$findings" "$folder/$name.log" >&2
    grep -m3 -E 'ERROR|SUMMARY|runtime error' "$folder/$name.log" >&2 || true
  fi
done
exit "$found"
