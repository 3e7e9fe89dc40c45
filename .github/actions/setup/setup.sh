#!/bin/bash
# Fetches a release's tarball, checks it, unpacks it into the runner's tool cache, and puts it on the PATH of later steps.
set -euo pipefail

fail() {
  local message=$*
  printf '::error::retry-exec setup: %s\n' "${message//[$'\r\n']/ }"
  exit 1
}

version=${SETUP_VERSION#v} checksum=${SETUP_CHECKSUM,,} architecture=$SETUP_ARCHITECTURE
[[ $version =~ ^[0-9A-Za-z.+~-]+$ ]] || fail "version: '$version' is not a version such as 0.1.0"
[[ ! $checksum || $checksum =~ ^[0-9a-f]{64}$ ]] || fail "checksum: '$checksum' is not a SHA-256, which has 64 hexadecimal digits"
case ${architecture:-$(uname -m)} in
  amd64 | x86_64 | X64) architecture=amd64 ;;
  arm64 | aarch64 | ARM64) architecture=arm64 ;;
  *) fail "architecture: there is no release for '${architecture:-$(uname -m)}', only for amd64 and arm64" ;;
esac

name=retry-exec-$version-linux-$architecture
url=${SETUP_URL:-$SETUP_SERVER/$SETUP_REPOSITORY/releases/download/v$version}
cache=${RUNNER_TOOL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/retry-exec/$version/$architecture
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

get() { # FILE
  curl --fail --silent --show-error --location --retry 5 --retry-all-errors --proto '=https,file' \
    --output "$temporary/$1" "$url/$1" || fail "could not fetch $url/$1"
}

# What is in the cache was checked when it came there; of another checksum it is not what is asked for.
hit=false
if [[ -f $cache/checksum && ( ! $checksum || $(<"$cache/checksum") == "$checksum" ) ]]; then
  hit=true
else
  if [[ ! $checksum ]]; then
    get "$name.tar.gz.sha256"
    read -r checksum _ <"$temporary/$name.tar.gz.sha256"
  fi
  get "$name.tar.gz"
  read -r found _ < <(sha256sum "$temporary/$name.tar.gz")
  [[ $found == "$checksum" ]] || fail "the checksum of $name.tar.gz is $found, not $checksum: nothing was installed"
  mkdir "$temporary/unpacked"
  tar -xzf "$temporary/$name.tar.gz" -C "$temporary/unpacked" --strip-components 1
  [[ -x $temporary/unpacked/bin/retry-exec ]] || fail "there is no bin/retry-exec in $name.tar.gz"
  echo "$checksum" >"$temporary/unpacked/checksum"
  rm -rf "$cache"
  mkdir -p "$(dirname "$cache")"
  mv "$temporary/unpacked" "$cache"
fi

echo "$cache/bin" >>"$GITHUB_PATH"
{
  echo "folder=$cache/bin"
  echo "cache-hit=$hit"
} >>"$GITHUB_OUTPUT"
"$cache/bin/retry-exec" --version || fail "retry-exec does not run here"
