# Static executables, where next to nothing is there. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

executables=$scratch/odd-places
mkdir "$executables"
tar -xzf "$dist/retry-exec-$version-linux-$native.tar.gz" -C "$executables" --strip-components=2 --wildcards '*/bin/*'

# A root folder with them and nothing else.
empty_root() {
  mkdir root
  cp "$executables"/retry-* root/
}

in_an_empty_root() {
  empty_root
  [[ $(chroot root /retry-exec --version | head -n 1) == "retry-exec $version" ]]
  chroot root /retry-rules check ghcr
  [[ $(chroot root /retry-exec -r ghcr -- /retry-exec --version | head -n 1) == "retry-exec $version" ]]
  # A failure is judged and tried again without /proc, /dev, /etc or /tmp.
  local status=0
  chroot root /retry-exec -a 2 -d 0 -- /retry-rules show no-such-set 2>log || status=$?
  ((status == 125))
  grep -q 'attempt 2/2' log
  printf 'retry-publish: 1\ntargets: {}\n' >root/plan.yaml
  fails chroot root /retry-publish -n /plan.yaml
}

as_process_1() {
  empty_root
  local status=0
  unshare --pid --fork --kill-child chroot root /retry-exec -a 2 -d 0 -- /retry-rules show no-such-set 2>log || status=$?
  ((status == 125))
  grep -q 'attempt 2/2' log
}

in_little_memory() {
  (
    ulimit -v 65536
    "$executables/retry-exec" -r ghcr -- sh -c 'echo passed'
    "$executables/retry-exec" -r auto -a 2 -d 0 --unmatched retry -- sh -c 'echo unauthorized >&2; exit 3' || echo $?
  ) >out 2>log
  [[ $(<out) == $'passed\n3' ]]
}

in_a_deleted_folder() {
  mkdir gone
  cd gone
  rmdir ../gone
  [[ $("$executables/retry-exec" -r ghcr -- echo passed) == passed ]]
}

as_a_user_without_a_name() {
  chmod 755 "$scratch"
  setpriv --reuid 54321 --regid 54321 --clear-groups env -i "$executables/retry-exec" -r ghcr -- /bin/echo passed >out
  [[ $(<out) == passed ]]
}

check "they work in an empty root folder, without /proc, /dev and /etc" in_an_empty_root
check "they work there as process 1" as_process_1
check "64 MiB of address space are enough" in_little_memory
check "a folder that is gone is no obstacle" in_a_deleted_folder
check "a user that no file knows is no obstacle" as_a_user_without_a_name
