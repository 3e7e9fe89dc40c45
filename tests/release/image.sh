# The container image: pushed to a registry by digest, published by retry-publish, pulled from there, run from an empty
# root. Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

fetch_registry
build_oras 1.3.6
oras=$tools/oras-1.3.6/oras
export DOCKER_CONFIG=$scratch/nobody # nobody's credentials

start_registry() { # prints its address, once it answers
  local port tries
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:0"}\n' \
    "$scratch/registry" >"$scratch/registry.yaml"
  PATH=$tools/bin:$PATH docker-registry serve "$scratch/registry.yaml" >"$scratch/registry.log" 2>&1 &
  for ((tries = 0; tries < 200; ++tries)); do
    port=$(sed -nE 's/.*listening on 127\.0\.0\.1:([0-9]+).*/\1/p' "$scratch/registry.log" | grep -m 1 .) && break
    sleep 0.05
  done
  [[ $port ]] || die "docker-registry does not start: $(<"$scratch/registry.log")"
  registry=localhost:$port
}

# As the workflow of a release does it. Of localhost, oras takes plain HTTP for granted.
published() {
  local digest tag
  digest=$("$oras" resolve --oci-layout "$dist/retry-exec-$version-image.tar:$version")
  ORAS=$oras GITHUB_OUTPUT=$PWD/output "$source_root/.ci/publish-image" "$version" "$registry/retry-exec"
  for tag in "$version" latest; do
    [[ $("$oras" resolve --plain-http "$registry/retry-exec:$tag") == "$digest" ]]
  done
  grep -qx "digest=$digest" output
}

# What a container engine does with an image: its layers, one over the other; its command, in there.
pulled_and_run() { # ARCHITECTURE
  "$oras" cp --from-plain-http --to-oci-layout --platform "linux/$1" "$registry/retry-exec:$version" image:it
  mkdir root
  python3 - image root <<'PY'
import json, sys, tarfile
def blob(digest):
    return f"{sys.argv[1]}/blobs/{digest.replace(':', '/')}"
index = json.load(open(f"{sys.argv[1]}/index.json"))
manifest = json.load(open(blob(index["manifests"][0]["digest"])))
config = json.load(open(blob(manifest["config"]["digest"])))
assert config["config"]["Entrypoint"] == ["/retry-exec"], config
for layer in manifest["layers"]:
    tarfile.open(blob(layer["digest"])).extractall(sys.argv[2])
PY
  local emulator
  emulator=$(emulator_of "$1")
  [[ ! $emulator ]] || cp "$(command -v "$emulator")" root/emulator
  [[ $(chroot root ${emulator:+/emulator} /retry-exec --version | head -n 1) == "retry-exec $version" ]]
  chroot root ${emulator:+/emulator} /retry-rules check ghcr
  [[ -s root/usr/share/doc/retry-exec/NOTICES.gz ]]
}

# `COPY --from=… /retry-exec /usr/local/bin/` in a Dockerfile puts the file there, no more.
copied_into_another_image() {
  "$oras" cp --from-plain-http --to-oci-layout --platform "linux/$native" "$registry/retry-exec:$version" image:it
  fresh_debian bookworm root
  local layer
  layer=$(find image/blobs -size +1M -type f)
  tar -xzf "$layer" -C root/usr/local/bin retry-exec
  [[ $(chroot root retry-exec -r generic -- echo passed) == passed ]]
}

start_registry
check "retry-publish publishes the image, for both platforms" published
for architecture in amd64 arm64; do
  check "the image for $architecture, pulled, runs in nothing but itself" pulled_and_run $architecture
done
check "one file copied out of it works in another image" copied_into_another_image
