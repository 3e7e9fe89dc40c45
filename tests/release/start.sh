# What a start of the shipped executable costs, beside a floor and other tools: as `meson test --benchmark start` does
# with that of the build folder. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

# The share of the floor is said in README.md; where each page is dear it is higher, and a machine that is busy adds to it.
start_time() {
  local build share
  build=$(with_tests "$native" tests/bench/bench tests/bench/floor)
  tar -xzf "$dist/retry-exec-$version-linux-$native.tar.gz" --strip-components=2 --wildcards '*/bin/retry-exec'
  RETRY_EXEC=$PWD/retry-exec FLOOR=$build/tests/bench/floor "$build/tests/bench/bench" start 100 | tee figures >&3
  share=$(sed -nE 's/^retry-exec -r ghcr +[0-9.]+ +([0-9.]+)x.*/\1/p' figures)
  [[ $share ]]
  awk -v share="$share" 'BEGIN { exit !(share < 1.3) }'
}

exec 3>&1
check "a start of the hardened executable is nearly as quick as can be" start_time
