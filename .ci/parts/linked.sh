# Which libraries are in the static executables, and whose they are.
# Sourced by .ci/release, after sysroot.sh.
# shellcheck shell=bash

# Archives that the linker of a program was given: by the build, and by the compiler itself.
linked_archives() { # BUILD-FOLDER COMPILER
  local name
  ninja -C "$1" -t commands src/main/retry-exec | tail -n 1 | tr ' ' '\n' | grep -E '^/.*\.a$'
  for name in libstdc++.a libgcc.a libgcc_eh.a libm.a libc.a; do
    realpath "$("$2" -print-file-name="$name")"
  done
}

# A line for each: archive, Debian package, its version, and its copyright file.
linked_packages() { # BUILD-FOLDER COMPILER SYSROOT (or nothing)
  local archive package version documentation
  linked_archives "$1" "$2" | while read -r archive; do
    documentation=/usr/share/doc
    if [[ $3 && $archive == "$3"/* ]]; then
      documentation=$3/usr/share/doc
      read -r _ package version < <(grep -F "${archive#"$3"/} " "$3/archives")
    else
      package=$(dpkg -S "$archive" | cut -d: -f1)
      version=$(dpkg-query -W -f '${Version}\n' "$package" | head -n 1)
    fi
    [[ $package && $version ]] || die "no Debian package has $archive: its notice cannot be shipped"
    printf '%s %s %s %s\n' "${archive##*/}" "$package" "$version" "$documentation/$package/copyright"
  done
}
