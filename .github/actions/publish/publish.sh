#!/bin/bash
# The inputs of the action, as ACTION_…, to arguments of retry-publish, which sets the outputs itself.
set -euo pipefail

arguments=()
add() { # OPTION LINES
  local line
  while IFS= read -r line; do
    [[ ! $line ]] || arguments+=("$1=$line")
  done <<<"$2"
}

command -v retry-publish >/dev/null || {
  echo '::error::retry-publish is not on the PATH: use the action "setup" before this one'
  exit 1
}
add --digests "$ACTION_DIGESTS"
add --metadata "$ACTION_METADATA"
add --repository "$ACTION_REPOSITORY"
add --tag "$ACTION_TAGS"
add --platform "$ACTION_PLATFORMS"
[[ ! $ACTION_METADATA_ACTION ]] || arguments+=("--metadata-action=$ACTION_METADATA_ACTION")
add --only "$ACTION_ONLY"
while IFS= read -r line; do
  [[ ! $line ]] || arguments+=("$line")
done <<<"$ACTION_ARGUMENTS"
[[ ! $ACTION_PLAN ]] || arguments+=(-- "$ACTION_PLAN")

exec retry-publish "${arguments[@]}"
