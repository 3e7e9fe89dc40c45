# Debian, RPM and Arch packages: installed, used, removed in fresh places. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

install_packages lintian rpm pacman-package-manager zstd

deb() { echo "$dist/retry-exec_$version-1_$1.deb"; } # ARCHITECTURE

clean_for_lintian() { # ARCHITECTURE
  lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$(deb "$1")"
}

# What a package left of itself in a system: nothing.
untouched() { # FOLDER LIST: the files that were there before
  diff "$2" <(cd "$1" && find . ! -path './var/*' ! -path './etc/ld.so.cache' ! -type l | sort)
}

installed_on() { # SUITE
  fresh_debian "$1" root
  (cd root && find . ! -path './var/*' ! -path './etc/ld.so.cache' ! -type l | sort) >before
  cp "$(deb "$native")" root/package.deb
  chroot root apt-get install -y -o Dpkg::Use-Pty=0 /package.deb
  rm root/package.deb
  works chroot root
  [[ $(chroot root dpkg-query -W -f '${Version}' retry-exec) == "$version-1" ]]
  [[ -s root/usr/share/retry-exec/rules/ghcr.yaml ]]
  chroot root dpkg --verify retry-exec
  chroot root apt-get purge -y -o Dpkg::Use-Pty=0 retry-exec
  untouched root before
}

of_another_architecture() { # ARCHITECTURE
  fresh_debian bookworm root
  chroot root dpkg --add-architecture "$1"
  cp "$(deb "$1")" root/package.deb
  cp "$(command -v "$(emulator_of "$1")")" root/emulator
  chroot root dpkg -i /package.deb
  [[ $(chroot root /emulator /usr/bin/retry-exec --version | head -n 1) == "retry-exec $version" ]]
  chroot root dpkg --purge retry-exec
}

# A root folder in which nothing but the package's own files are needed.
rpm_installed() { # ARCHITECTURE
  local package
  package=$dist/retry-exec-$version-1.$(machine "$1").rpm
  rpm -qp --requires "$package" >requires
  fails grep -v '^rpmlib(' requires
  mkdir root
  rpm --root "$PWD/root" --initdb
  rpm --root "$PWD/root" --ignorearch -i "$package"
  rpm --root "$PWD/root" -V retry-exec
  # shellcheck disable=SC2046  # none, or one word
  [[ $($(emulator_of "$1") root/usr/bin/retry-exec --version | head -n 1) == "retry-exec $version" ]]
  rpm --root "$PWD/root" -e retry-exec
  [[ ! $(find root -name '*retry*') ]]
}

arch_installed() { # ARCHITECTURE
  local package
  package=$dist/retry-exec-$version-1-$(machine "$1").pkg.tar.zst
  mkdir -p root/var/lib/pacman
  printf '[options]\nArchitecture = auto %s\nSigLevel = Never\nLocalFileSigLevel = Never\n' "$(machine "$1")" >pacman.conf
  local pacman=(pacman --config pacman.conf --root "$PWD/root" --dbpath "$PWD/root/var/lib/pacman" --noconfirm
    --cachedir "$PWD/root/cache" --logfile "$PWD/pacman.log" --hookdir "$PWD/root/hooks")
  "${pacman[@]}" -U "$package"
  "${pacman[@]}" -Qkk retry-exec
  # shellcheck disable=SC2046  # none, or one word
  [[ $($(emulator_of "$1") root/usr/bin/retry-exec --version | head -n 1) == "retry-exec $version" ]]
  "${pacman[@]}" -R retry-exec
  [[ ! $(find root -name '*retry*') ]]
}

for architecture in amd64 arm64; do
  check "lintian has nothing to say of the Debian package for $architecture" clean_for_lintian $architecture
done
for suite in bookworm trixie sid; do
  check "on Debian $suite the package is installed, works, and is purged without a trace" installed_on $suite
done
check "the Debian package for arm64 is installed, works, and is purged" of_another_architecture arm64
for architecture in amd64 arm64; do
  check "the RPM package for $architecture is installed, works, and is removed" rpm_installed $architecture
  check "the Arch package for $architecture is installed, works, and is removed" arch_installed $architecture
done
