# Fresh places to install into. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

# A Debian with nothing but its minimum, unpacked into a folder of its own.
fresh_debian() { # SUITE FOLDER
  local archive=$tools/chroots/$1.tar
  if [[ ! -f $archive ]]; then
    install_packages debootstrap
    rm -rf --one-file-system "$archive.part" && mkdir -p "$archive.part"
    debootstrap --variant=minbase "$1" "$archive.part"
    tar -C "$archive.part" -cf "$archive.tar" .
    rm -rf --one-file-system "$archive.part"
    mv "$archive.tar" "$archive"
  fi
  mkdir -p "$2"
  tar -C "$2" -xf "$archive"
  # A mirror may stand still, and its lists be older than they may be.
  echo 'Acquire::Check-Valid-Until "false";' >"$2/etc/apt/apt.conf.d/90standing-mirror"
}

# A name of each architecture's executables that this machine can start: itself, or under emulation.
emulator_of() { # ARCHITECTURE
  [[ $1 == "$native" ]] || echo "qemu-$(machine "$1")-static"
}

# Tests and benchmarks, in the folder of the release, so that nothing of the source is compiled again; prints the folder.
with_tests() { # ARCHITECTURE TARGET...
  local folder=$source_root/build-release-$1
  {
    configure_for "$1" "$folder" -Dtests=true
    nice ninja -C "$folder" "${@:2}"
  } >&2
  echo "$folder"
}

# Makes FOLDER a path in which retry-exec and the others are those of another architecture, under emulation.
emulated_path() { # ARCHITECTURE EXECUTABLES FOLDER
  local program
  mkdir -p "$3"
  for program in retry-exec retry-publish retry-rules; do
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$(emulator_of "$1")" "$2/$program" >"$3/$program"
    chmod +x "$3/$program"
  done
}
