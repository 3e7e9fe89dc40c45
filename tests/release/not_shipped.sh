# An architecture that no release is made for, and that the source must go on being right for: its words have 32 bits.
# Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

# What a compiler has to say of every source; nothing is linked, and what the build generates is not there.
compiles() { # ARCHITECTURE
  local folder=$source_root/build-check-$1
  configure_for "$1" "$folder" -Dtests=false
  ninja -C "$folder" -t commands | grep -E ' -c \.\./[^ ]+$' >commands
  (($(wc -l <commands) > 100))
  (cd "$folder" && CCACHE_DISABLE=1 nice xargs -d '\n' -P "$(nproc)" -I '{}' sh -c '{} -fsyntax-only') <commands
}

check "the source is right for armhf" compiles armhf
