# The archives: what is in them, what they say of it, and that they come out the same every time.
# Sourced by run.
# shellcheck shell=bash disable=SC2154,SC2164  # run sets these, and `set -e`

unpack() { # ARCHITECTURE: into the current folder
  tar -xzf "$dist/retry-exec-$version-linux-$1.tar.gz" --strip-components=1
}

checksums() {
  cd "$dist"
  sha256sum --check --strict SHA256SUMS
  local file
  for file in *.tar.gz; do
    sha256sum --check --strict "$file.sha256"
  done
  [[ $(wc -l <SHA256SUMS) == $(find . -maxdepth 1 -type f ! -name SHA256SUMS ! -name '*.sha256' | wc -l) ]]
}

# ubi, eget and mise look for a name that has the system and the architecture in it, and must find one.
found_by_name() { # ARCHITECTURE
  local names
  names=$(cd "$dist" && find . -maxdepth 1 -type f -iname '*linux*' -name "*$1*" ! -name '*.sha256')
  [[ $names == "./retry-exec-$version-linux-$1.tar.gz" ]]
}

complete_archive() { # ARCHITECTURE
  unpack "$1"
  local file
  for file in bin/retry-exec bin/retry-publish bin/retry-rules share/retry-exec/report.schema.json \
    share/retry-exec/publish-report.schema.json share/retry-exec/rule-file.schema.json share/retry-exec/rules/ghcr.yaml \
    share/man/man1/retry-exec.1.gz share/man/man5/retry-rules.5.gz share/bash-completion/completions/retry-exec.bash \
    share/zsh/site-functions/_retry-exec share/fish/vendor_completions.d/retry-exec.fish \
    share/doc/retry-exec/{copyright,NOTICES.gz,README.md,retry-exec.spdx.json}; do
    [[ -s $file ]] || die "no $file"
  done
  [[ ! -e include && ! -e lib ]]
  [[ $(find . -perm /022) == '' ]]
  for file in bin/*; do
    fails grep -q NEEDED <(readelf -d "$file")
    fails grep -aq gai.conf "$file" # of getaddrinfo(3), which needs shared libraries all the same
    readelf -lW "$file" >segments
    grep -q GNU_RELRO segments
    grep -qw 'GNU_STACK .* RW ' segments
  done
}

no_build_path() { # ARCHITECTURE: nor another one that tells where it was built
  unpack "$1"
  fails grep -aF "$source_root" bin/*
}

notices() { # ARCHITECTURE: of all that the linker took
  unpack "$1"
  local name
  zcat share/doc/retry-exec/NOTICES.gz >notices
  for name in Boost PCRE2 yaml-cpp 'libstdc++' libgcc glibc 'LGPL-2.1' 'GPL-3'; do
    grep -qE "^${name//+/\\+}( |$)" notices
  done
  grep -q 'meson setup build -Dstatic=true' notices
}

bill_of_materials() { # ARCHITECTURE
  unpack "$1"
  python3 - share/doc/retry-exec/retry-exec.spdx.json bin/* <<'PY'
import hashlib, json, sys
document = json.load(open(sys.argv[1]))
assert document["spdxVersion"] == "SPDX-2.3"
said = {file["fileName"]: {sum["checksumValue"] for sum in file["checksums"]} for file in document["files"]}
for path in sys.argv[2:]:
    assert hashlib.sha256(open(path, "rb").read()).hexdigest() in said["./" + path], path
names = {package["name"] for package in document["packages"]}
assert {"retry-exec", "Boost", "PCRE2", "yaml-cpp", "glibc", "libstdc++"} <= names, names
PY
  python3 -m venv venv
  venv/bin/pip install --quiet spdx-tools
  venv/bin/pyspdxtools -i share/doc/retry-exec/retry-exec.spdx.json
}

unpacked_into_usr_local() {
  mkdir root
  tar -xzf "$dist/retry-exec-$version-linux-$native.tar.gz" -C root --strip-components=1
  PATH=$PWD/root/bin:$PATH works
}

# The lines of the README, with what they download taken from dist/.
lines_of_the_readme() {
  sed -n '/^version=/,/^```/p' "$source_root/README.md" >lines
  [[ $(sed -nE 's/^version=([^ ]+) .*/\1/p' lines) == "$version" ]]
  grep -oE '(retry-exec/retry-exec:|retry-exec/\.github/actions/[a-z]+@v)[0-9][0-9.]*' "$source_root/README.md" >named
  (($(wc -l <named) > 5))
  fails grep -vE "[:v]${version//./\\.}\$" named
  local releases=file://$dist word arch architecture
  for architecture in amd64:x86_64 arm64:aarch64; do
    arch=${architecture%:*}
    while read -r word; do
      word=${word//MACHINE/${architecture#*:}}
      word=${word//'$version'/$version}
      word=${word//'$arch'/$arch}
      curl -fsSo /dev/null "${word//'$releases'/$releases}"
    done < <(sed 's/$(uname -m)/MACHINE/' lines | grep -oE '\$releases/[^ ]+')
  done
  # shellcheck disable=SC2034,SC1091  # for the line
  arch=$native
  grep -E '^curl .*tar\.gz ' lines | sed 's#sudo ##; s#/usr/local#root#' >line
  mkdir root
  . ./line
  PATH=$PWD/root/bin:$PATH works
}

# From a clone in another folder, at another depth, with no cache of objects.
reproducible() {
  git clone --quiet --no-local "$source_root" elsewhere/deeper
  [[ $(git -C elsewhere/deeper rev-parse HEAD) == $(git -C "$source_root" rev-parse HEAD) ]]
  CCACHE_DISABLE=1 RETRY_EXEC_TOOLS=$tools nice elsewhere/deeper/.ci/release "$version" "$native"
  local file
  for file in elsewhere/deeper/dist/*"$native"*.tar.gz elsewhere/deeper/dist/*.{deb,rpm,zst} elsewhere/deeper/dist/pypi/*; do
    cmp "$file" "$dist/${file#elsewhere/deeper/dist/}"
  done
}

check "every file has its checksum" checksums
for architecture in amd64 arm64; do
  check "one file for $architecture is what installers look for by name" found_by_name $architecture
  check "the archive for $architecture has all that it should, static and read-only where it can" complete_archive $architecture
  check "nothing for $architecture names the folder of the build" no_build_path $architecture
  check "the terms of every library linked in for $architecture are with it" notices $architecture
  check "the bill of materials for $architecture is true and valid" bill_of_materials $architecture
done
check "an unpacked archive works" unpacked_into_usr_local
check "the lines of the README download what there is, and install it" lines_of_the_readme
quick "not built a second time" || check "built in another folder, everything comes out the same" reproducible
