# The executables of another architecture, and the unit tests compiled for it, under qemu's emulation of single
# programs. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

# Runs a suite less the cases that the file not_under_emulation.SUITE names.
most_of() { # SUITE PROGRAM...
  local list=(--list-tests --verbosity quiet)
  [[ $("${@:2}" --help) != *--list-test-names-only* ]] || list=(--list-test-names-only) # Catch2 v2
  { "${@:2}" "${list[@]}" || true; } | sed 's/^ *//' >all
  fails grep -vxF -f all <(grep -v '^#\|^$' "$here/not_under_emulation.$1") # a name that no case has
  grep -vxF -f <(grep -v '^#\|^$' "$here/not_under_emulation.$1") all | sed 's/[,["]/\\&/g' >chosen
  "${@:2}" --input-file chosen
}

# The cases are the native program's: only retry-exec and the others are emulated, what they run is not.
cli_suite() { # ARCHITECTURE
  local build
  build=$(with_tests "$native" tests/cli/cli tests/support/helper tests/support/refuse)
  mkdir executables
  tar -xzf "$dist/retry-exec-$version-linux-$1.tar.gz" -C executables --strip-components=2 --wildcards '*/bin/*'
  emulated_path "$1" "$PWD/executables" "$PWD/bin"
  RETRY_EXEC=$PWD/bin/retry-exec RETRY_PUBLISH=$PWD/bin/retry-publish RETRY_RULES=$PWD/bin/retry-rules \
    HELPER=$build/tests/support/helper REFUSE=$build/tests/support/refuse README=$source_root/README.md \
    RULE_FILE_SCHEMA=$build/stage/usr/share/retry-exec/rule-file.schema.json \
    INSTALLED=$build/meson-info/intro-installed.json CORPUS=$source_root/tests/unit/corpus most_of cli "$build/tests/cli/cli"
}

unit_suite() { # ARCHITECTURE
  local build
  export TEST_INSTRUMENTED=yes # for tests that ask how long something takes: an emulator is slow
  build=$(with_tests "$1" tests/unit/unit)
  most_of unit "$(emulator_of "$1")" "$build/tests/unit/unit"
}

for architecture in amd64 arm64; do
  [[ $architecture != "$native" ]] || continue
  check "the suite cli holds for $architecture" cli_suite $architecture
  check "the suite unit holds for $architecture" unit_suite $architecture
done
