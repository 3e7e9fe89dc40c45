#!/bin/bash
# The inputs of the action, as ACTION_…, to options of retry-exec; its report to outputs.
set -uo pipefail

finish() { # EXIT-CODE MESSAGE, which may quote an input: of several lines it would be several outputs
  local message=${2-}
  message=${message//[$'\r\n']/ }
  {
    echo "total_attempts=${attempts:-0}"
    echo "exit_code=$1"
    echo "exit_error=$message"
  } >>"$GITHUB_OUTPUT"
  (($1)) || exit 0
  if [[ ${ACTION_CONTINUE_ON_ERROR,,} == true ]]; then
    echo "::warning::$message"
    exit 0
  fi
  echo "::error::$message"
  exit "$1"
}

check_number() { # INPUT VALUE
  [[ ! $2 || $2 =~ ^[0-9]+$ ]] || finish 1 "Input $1 only accepts numbers.  Received $2"
}

by_commas() {
  local IFS=,
  echo "$*"
}

command -v retry-exec >/dev/null || finish 1 'retry-exec is not on the PATH: use the action "setup" before this one'
check_number max_attempts "$ACTION_MAX_ATTEMPTS"
check_number timeout_minutes "$ACTION_TIMEOUT_MINUTES"
check_number timeout_seconds "$ACTION_TIMEOUT_SECONDS"
check_number retry_wait_seconds "$ACTION_RETRY_WAIT_SECONDS"
check_number retry_on_exit_code "$ACTION_RETRY_ON_EXIT_CODE"
[[ ! $ACTION_TIMEOUT_MINUTES || ! $ACTION_TIMEOUT_SECONDS ]] ||
  finish 1 'Give timeout_minutes or timeout_seconds, not both'

report=$(mktemp)
trap 'rm -f "$report"' EXIT
options=(--attempts "${ACTION_MAX_ATTEMPTS:-3}" --delay "${ACTION_RETRY_WAIT_SECONDS:-10}s"
  --max-delay none --backoff constant --jitter none --report "json:$report")
seconds=${ACTION_TIMEOUT_SECONDS:-${ACTION_TIMEOUT_MINUTES:+$((10#$ACTION_TIMEOUT_MINUTES * 60))}}
[[ ! $seconds ]] || options+=(--timeout "${seconds}s")
[[ ! $ACTION_ON_RETRY_COMMAND ]] || options+=(--before-retry "$ACTION_ON_RETRY_COMMAND")
[[ ${ACTION_WARNING_ON_RETRY,,} == true ]] || options+=(--log text)
unmatched=retry retried=() stopped=()
[[ ! $ACTION_RULES ]] || unmatched=stop
case ${ACTION_RETRY_ON:-any} in
  any) ;;
  error) stopped+=(timeout) ;;
  timeout)
    retried+=(timeout)
    unmatched=stop
    ;;
  *) finish 1 "retry_on: '$ACTION_RETRY_ON' is not any, timeout or error" ;;
esac
if [[ $ACTION_RETRY_ON_EXIT_CODE ]]; then
  retried+=("$((10#$ACTION_RETRY_ON_EXIT_CODE))")
  unmatched=stop
fi
if ((${#retried[@]})); then # and nothing else, whatever rules know
  options+=(--retry-on "$(by_commas "${retried[@]}")")
else
  for rules in ${ACTION_RULES//,/ }; do
    options+=(--rules "$rules")
  done
fi
((!${#stopped[@]})) || options+=(--stop-on "$(by_commas "${stopped[@]}")")

read -ra shell <<<"${ACTION_SHELL:-bash}"
case ${shell[0]} in
  bash | sh | python | pwsh) ;;
  *) finish 1 "shell: '${shell[0]}' is not bash, sh, python or pwsh" ;;
esac
command=("${shell[@]}" -c "$ACTION_COMMAND")
if [[ $ACTION_NEW_COMMAND_ON_RETRY ]]; then
  # shellcheck disable=SC2016  # for the shell of each attempt
  command=(bash -c '[[ $RETRY_EXEC_ATTEMPT == 1 ]] || set -- "$2" "$2" "${@:3}"; exec "${@:3}" -c "$1"' retry
    "$ACTION_COMMAND" "$ACTION_NEW_COMMAND_ON_RETRY" "${shell[@]}")
fi

retry-exec "${options[@]}" --unmatched "$unmatched" -- "${command[@]}"
code=$?

attempts=$(grep -oE '"totals": *\{"attempts": *[0-9]+' "$report" | grep -oE '[0-9]+$')
message="Child_process exited with error code $code"
if ((code == 124)) && grep -qE '"reason": *"deadline"' "$report"; then
  message='The deadline ended the run' code=1 # that of the job: RETRY_EXEC_DEADLINE
elif grep -q '"timed-out"' <(grep -o '"kind": *"[a-z-]*"' "$report" | tail -n 1); then
  message="${seconds:+Timeout of $((10#${seconds:-0} * 1000))ms hit}" code=1
  message=${message:-A time limit was hit}
fi
((code)) || finish 0
((attempts < 10#${ACTION_MAX_ATTEMPTS:-3})) || message="Final attempt failed. $message"
finish "$code" "$message"
