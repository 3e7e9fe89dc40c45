# The PyPI wheels, into fresh environments. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

install_packages pipx

wheel() { echo "$dist"/pypi/retry_exec-"$version"-py3-none-*"$(machine "$1")".whl; } # ARCHITECTURE

into_a_venv() {
  python3 -m venv venv
  venv/bin/pip install --quiet --no-index "$(wheel "$native")"
  PATH=$PWD/venv/bin:$PATH works
  venv/bin/pip uninstall --quiet --yes retry-exec
  [[ ! $(find venv -name '*retry[-_]exec*') ]]
}

by_name_from_an_index() { # as pip finds it: the one for this machine, among those of the index
  python3 -m venv venv
  venv/bin/pip install --quiet --no-index --find-links "$dist/pypi" "retry-exec==$version"
  PATH=$PWD/venv/bin:$PATH works
}

by_pipx() {
  local PIPX_HOME=$PWD/pipx PIPX_BIN_DIR=$PWD/bin
  export PIPX_HOME PIPX_BIN_DIR
  pipx install "$(wheel "$native")"
  PATH=$PWD/bin:$PATH works
  [[ $(pipx run --spec "$(wheel "$native")" retry-exec -r generic -- echo passed) == passed ]]
}

by_uv() {
  python3 -m venv uv
  uv/bin/pip install --quiet uv
  export UV_CACHE_DIR=$PWD/cache
  [[ $(uv/bin/uvx --offline --find-links "$dist/pypi" retry-exec -r generic -- echo passed) == passed ]]
  uv/bin/uv tool install --offline --find-links "$dist/pypi" retry-exec
  [[ $(uv/bin/uvx --offline --find-links "$dist/pypi" --from retry-exec retry-rules --version | head -n 1) == "retry-rules $version" ]]
}

taken_for() { # PLATFORM: of glibc and of musl
  pip download --quiet --no-index --find-links "$dist/pypi" --only-binary :all: --platform "$1" --dest got \
    "retry-exec==$version"
  ls got/*.whl
}

emulated() { # ARCHITECTURE
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall("wheel")' "$(wheel "$1")"
  chmod +x "wheel/retry_exec-$version.data/scripts"/* # zipfile leaves that to installers
  emulated_path "$1" "$PWD/wheel/retry_exec-$version.data/scripts" "$PWD/bin"
  PATH=$PWD/bin:$PATH works
}

check_metadata() {
  python3 -m venv venv
  venv/bin/pip install --quiet twine
  venv/bin/twine check --strict "$dist"/pypi/*.whl
}

check "pip installs the wheel into a fresh environment, and takes it away" into_a_venv
check "pip finds the wheel by name" by_name_from_an_index
check "pipx installs it, and runs it without" by_pipx
check "uvx runs it, and uv installs it" by_uv
for machine in x86_64 aarch64; do
  for system in manylinux_2_17 manylinux2014 musllinux_1_1; do
    check "pip takes the wheel for ${system}_$machine" taken_for "${system}_$machine"
  done
done
check "the wheel for arm64 has what works there" emulated arm64
check "PyPI would take the wheels" check_metadata
