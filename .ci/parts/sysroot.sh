# What is compiled for another architecture finds its libraries in a folder of that architecture's Debian
# packages, unpacked and not installed: libyaml-cpp-dev, for one, cannot be installed for two at once.
# Sourced by .ci/release and tests/release/run, after tests/support/setup.sh.
# shellcheck shell=bash disable=SC2154  # source_root is from there

triplet() { # ARCHITECTURE, in Debian's words
  case $1 in
    amd64) echo x86_64-linux-gnu ;;
    arm64) echo aarch64-linux-gnu ;;
    armhf) echo arm-linux-gnueabihf ;;
    *) die "no release is made for '$1'" ;;
  esac
}

machine() { # ARCHITECTURE, in the kernel's words
  case $1 in
    amd64) echo x86_64 ;;
    arm64) echo aarch64 ;;
    armhf) echo arm ;;
  esac
}

# Lists, cache and status of its own, in which the system has no packages but knows both architectures.
private_apt() { # ARCHITECTURE FOLDER: prints the name of its configuration
  mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
  : >"$2/status"
  cat >"$2/apt.conf" <<APT
APT::Architectures {"$(dpkg --print-architecture)"; "$1";};
Dir::State::Lists "$2/lists";
Dir::State::status "$2/status";
Dir::Cache "$2/cache";
Dir::Cache::pkgcache "";
APT
  echo "$2/apt.conf"
}

make_sysroot() { # ARCHITECTURE FOLDER
  local architecture=$1 folder=$2 package packages=()
  [[ ! -d $folder ]] || return 0
  install_packages "g++-$(triplet "$architecture")" qemu-user-static
  say "unpacking the libraries for $architecture"
  rm -rf "$folder.part" && mkdir -p "$folder.part/debs"
  # shellcheck disable=SC2016  # for dpkg-query to expand
  for package in $(boost_packages dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'libboost1.*-dev') \
    libpcre2-dev libyaml-cpp-dev catch2; do
    packages+=("$package:$architecture")
  done
  (
    APT_CONFIG=$(private_apt "$architecture" "$folder.part/apt")
    export APT_CONFIG
    apt-get update -qq
    # The compiler brings what else these depend on: a C library, a C++ library.
    apt-get install -qq --no-install-recommends --print-uris "${packages[@]}" |
      sed -nE 's/^[^ ]+ ((libboost|libpcre2|libyaml-cpp|catch2)[^_]*)_.*_([^_]+)\.deb .*/\1:\3/p' |
      sed 's/:all$//' >"$folder.part/names"
    cd "$folder.part/debs"
    xargs apt-get download -qq <../names
  ) || die "could not fetch the libraries for $architecture"
  for package in "$folder.part"/debs/*.deb; do
    dpkg-deb -x "$package" "$folder.part"
    # shellcheck disable=SC2016  # for dpkg-deb to expand
    dpkg-deb --fsys-tarfile "$package" | tar -tf - | sed -n 's#^\./\(.*\.a\)$#\1#p' |
      while read -r archive; do
        printf '%s %s\n' "$archive" "$(dpkg-deb -W --showformat='${Package} ${Version}' "$package")"
      done
  done >"$folder.part/archives"
  rm -rf "$folder.part"/{apt,debs}
  mv "$folder.part" "$folder"
}

# A Meson folder for an architecture, compiled as what is shipped is.
configure_for() { # ARCHITECTURE FOLDER [MESON-OPTION...]
  local architecture=$1 folder=$2 sysroot=$source_root/build-sysroot-$1
  local files=(--native-file "$source_root/.ci/hardened.ini")
  if [[ $architecture != "$(dpkg --print-architecture)" ]]; then
    make_sysroot "$architecture" "$sysroot"
    cross_file "$architecture" "$sysroot" >"$sysroot/cross.ini"
    files=(--cross-file "$sysroot/cross.ini" --cross-file "$source_root/.ci/hardened.ini")
  fi
  # Meson reads these files only when a folder is new.
  local known=$folder/machine-files text
  text=$(for file in "${files[@]}"; do [[ $file == --* ]] || cat "$file"; done)
  [[ -f $known && $(<"$known") == "$text" ]] || rm -rf "$folder"
  configure "$folder" "${files[@]}" -Dstatic=true -Dprefix=/usr "${@:3}"
  printf '%s\n' "$text" >"$known"
}

# A Meson cross file: the machine, its compiler, and where its libraries are, which no message names.
cross_file() { # ARCHITECTURE SYSROOT
  local tools cpu=$1 cache=
  tools=$(triplet "$1")
  case $1 in
    arm64) cpu=aarch64 ;;
    armhf) cpu=arm ;;
  esac
  ! command -v ccache >/dev/null || cache="'ccache', "
  cat <<INI
[binaries]
c = [$cache'$tools-gcc']
cpp = [$cache'$tools-g++', '-ffile-prefix-map=$2=']
ar = '$tools-ar'
strip = '$tools-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-$(machine "$1")-static', '-L', '/usr/$tools']

[properties]
sys_root = '$2'
pkg_config_libdir = ['$2/usr/lib/$tools/pkgconfig', '$2/usr/share/pkgconfig']
boost_includedir = '$2/usr/include'
boost_librarydir = '$2/usr/lib/$tools'

[host_machine]
system = 'linux'
cpu_family = '$cpu'
cpu = '$cpu'
endian = 'little'
INI
}
