# The source, built and installed on fresh systems as the README says: a quarter of an hour. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

built_on() { # SUITE
  fresh_debian "$1" root
  mkdir root/source
  git -C "$source_root" archive HEAD | tar -C root/source -xf -
  cp /etc/resolv.conf root/etc/
  # shellcheck disable=SC2016  # for the shell in there
  chroot root /bin/bash -euo pipefail -c '
    cd /source
    . tests/support/setup.sh
    install_packages
    meson setup build -Dtests=false && nice ninja -C build && ninja -C build install'
  works chroot root
  [[ $(chroot root /usr/local/bin/retry-exec --version | tail -n 1) == "commit unknown; "* ]]
}

for suite in bookworm trixie sid; do
  ! quick "not built from source on $suite" || continue
  check "on Debian $suite it is built from source, installed, and works" built_on $suite
done
