# The actions of .github/, with a real runner and what is in dist/. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

check "the actions install and run what is in dist/, and the workflows are valid" env "DIST=$dist" "$here/../actions/run"
