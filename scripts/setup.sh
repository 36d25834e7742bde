#!/usr/bin/env bash
# setup.sh [GROUP…]: installs what Hedge needs on Debian 12: packages (scripts/packages.txt; groups build, run, mcu, test, develop, torch2;
# default build run mcu test) and, in the virtual environment .venv, the wheels of the groups run (scripts/requirements.txt: OpenVINO) and test
# (scripts/requirements-test.txt); in .venv-torch2 those of torch2 (scripts/requirements-torch2.txt: libtorch 2). Says what and why; a second
# run installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
groups=("$@")
[[ $# -gt 0 ]] || groups=(build run mcu test)
log=build/setup.log
venv=.venv

say() { printf '%s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}
wanted() {
  local group
  for group in "${groups[@]}"; do [[ $group == "$1" ]] && return 0; done
  return 1
}
# Before the first as_root, whose own words would go to the log.
need_root() {
  [[ $EUID -eq 0 ]] || command -v sudo >/dev/null || fail "root or sudo is needed, and there is no sudo; as root run: scripts/setup.sh ${groups[*]}"
}
as_root() {
  if [[ $EUID -eq 0 ]]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}
# quietly COMMAND…: its output goes to the log, whose end is shown where it fails.
quietly() {
  "$@" >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "failed: $* (the whole log: $log)"
  }
}

check_system() {
  local id=unknown version=unknown
  # shellcheck disable=SC1091
  [[ -r /etc/os-release ]] && . /etc/os-release && id=${ID:-unknown} version=${VERSION_ID:-unknown}
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || fail "apt is needed: this set-up is for Debian 12 (here: $id $version)"
  [[ $id == debian && $version == 12 ]] || say "setup: made for Debian 12; here is $id $version, so package versions may differ"
}

# Fills `missing`, and says a line for each part of the wanted groups that lacks something.
find_missing() {
  missing=()
  local -A installed=()
  local name status version why='' absent='' line in_group=
  while read -r name status version; do
    [[ $status == installed ]] && installed[${name%%:*}]=$version
  done < <(dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n' 2>/dev/null)
  while read -r line || [[ -n $line ]]; do
    case $line in
      '' | '#'*) continue ;;
      '['*)
        [[ -z $absent ]] || say "setup: $why:$absent"
        absent='' why=${line#*] } in_group=
        line=${line#[} line=${line%%]*}
        ! wanted "$line" || in_group=yes
        continue
        ;;
    esac
    [[ -n $in_group ]] || continue
    read -r name version <<<"$line"
    if [[ -z ${installed[$name]:-} ]] || dpkg --compare-versions "${installed[$name]}" lt "$version"; then
      missing+=("$name") absent+=" $name"
    fi
  done <scripts/packages.txt
  [[ -z $absent ]] || say "setup: $why:$absent"
}

install_packages() {
  local missing
  find_missing
  [[ ${#missing[@]} -gt 0 ]] || return 0
  need_root
  quietly as_root apt-get update -qq
  quietly as_root apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}"
  find_missing >/dev/null
  [[ ${#missing[@]} -eq 0 ]] || fail "too old or missing after the installation: ${missing[*]}"
  installed_something=yes
}

# libtorch calls whatever libblas.so.3 is: the reference one would make training crawl.
choose_blas() {
  local name link value
  name=libblas.so.3-$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)
  value=$(readlink -f "/etc/alternatives/$name" || true)
  [[ $value != *openblas* ]] || return 0
  for name in "$name" "liblapack${name#libblas}"; do
    link=$(update-alternatives --list "$name" 2>/dev/null | grep -m1 openblas-openmp || true)
    [[ -n $link ]] || fail "libopenblas0-openmp does not provide $name"
    say "setup: $name now points to OpenBLAS (was $value)"
    need_root
    quietly as_root update-alternatives --set "$name" "$link"
  done
}

# install_wheels GROUP FILE [PIP OPTION…]: FILE's wheels into the virtual environment, unless its stamp says that they are there.
install_wheels() {
  local file=$2 stamp=$venv/.hedge-stamp-$1 hash
  hash=$(sha256sum <"$file" | cut -c1-64)
  [[ ! -x $venv/bin/python || ! -f $stamp || $(<"$stamp") != "$hash" ]] || return 0
  say "setup: $1: $(grep -oE '^[a-z-]+==[0-9.]+' "$file" | head -n 2 | paste -sd ' ') into $venv"
  if [[ -L $venv || ! -x $venv/bin/python ]]; then make_venv; fi
  quietly "$venv/bin/python" -m pip --disable-pip-version-check install -q --no-input --no-deps --only-binary :all: --require-hashes "${@:3}" -r "$file"
  [[ $1 != torch2 ]] || trim_torch2
  printf '%s\n' "$hash" >"$stamp"
  installed_something=yes
}

# Leaves of torch's wheels what programs are built and run with on the CPU: 0.5 of 1.3 GiB. Its copy of protobuf's headers would hide Debian's.
trim_torch2() {
  local packages
  packages=$(echo "$venv"/lib/python3*/site-packages)
  find "$packages" -mindepth 1 -maxdepth 1 ! -name 'torch' ! -name 'nvidia' ! -name 'pip*' ! -name '*.dist-info' -exec rm -rf {} +
  find "$packages/torch" -mindepth 1 -maxdepth 1 ! -name include ! -name lib -exec rm -rf {} +
  find "$packages/torch/lib" -mindepth 1 -maxdepth 1 ! -name libtorch_cpu.so ! -name libc10.so ! -name libgomp.so.1 -exec rm -rf {} +
  find "$packages/nvidia" -type f ! -name 'libcudart.so.*' ! -name 'libcupti.so.*' -delete
  rm -rf "$packages/torch/include/google"
}

# keep_wheels FILE: FILE's wheels in $venv/wheels, for virtual environments that tests make without the network.
keep_wheels() {
  local file=$1 folder=$venv/wheels stamp=$venv/.hedge-stamp-wheels hash
  hash=$(sha256sum <"$file" | cut -c1-64)
  [[ ! -d $folder || ! -f $stamp || $(<"$stamp") != "$hash" ]] || return 0
  say "setup: wheels that the Python package is built and tested with, into $folder"
  rm -rf "$folder"
  quietly "$venv/bin/python" -m pip --disable-pip-version-check download -q --no-input --no-deps --only-binary :all: --require-hashes -r "$file" -d "$folder"
  printf '%s\n' "$hash" >"$stamp"
  installed_something=yes
}

make_venv() {
  local python=/usr/bin/python3
  "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || fail "the pinned wheels are for Python 3.11, which $python is not"
  [[ ! -L $venv ]] || rm "$venv"
  quietly "$python" -m venv --clear "$venv"
}

for group in "${groups[@]}"; do
  grep -q "^\[$group\]" scripts/packages.txt || fail "no group \"$group\"; there are build, run, mcu, test, develop, torch2"
done
SECONDS=0 installed_something=
mkdir -p build
check_system
install_packages
! wanted build || choose_blas
! wanted run || install_wheels run scripts/requirements.txt
! wanted test || install_wheels test scripts/requirements-test.txt
! wanted test || keep_wheels scripts/requirements-python.txt
if wanted torch2; then
  [[ $(uname -m) == x86_64 ]] || fail "the pinned wheel of libtorch 2 is for x86-64; with another one configure -DHEDGE_TORCH_ROOT=FOLDER"
  venv=.venv-torch2 install_wheels torch2 scripts/requirements-torch2.txt --no-compile --no-cache-dir
fi
if [[ -n $installed_something ]]; then say "setup: done in $SECONDS s"; else say "setup: everything is there (${groups[*]})"; fi
