# Debian, RPM and Arch packages, by nfpm, from an installation's tree.
# Sourced by .ci/release, after tests/support/setup.sh.
# shellcheck shell=bash disable=SC2154  # version and tools are set by then

maintainer='The retry-exec authors <noreply@github.com>'
nfpm_version=2.44.1

build_nfpm() {
  [[ -x $tools/nfpm-$nfpm_version/nfpm ]] ||
    go_install "nfpm-$nfpm_version" "github.com/goreleaser/nfpm/v2/cmd/nfpm@v$nfpm_version"
}

# Every file, and the folders that are ours. As one tree, folders would get a mode that pacman finds altered.
contents() { # FOLDER
  local path format
  find "$1" -type d -path "$1/*/retry-exec*" -printf "  - {dst: '/usr/%P', type: dir, file_info: {mode: 0755}}\n" |
    LC_ALL=C sort
  find "$1" -type f -printf '%P\n' | LC_ALL=C sort | while read -r path; do
    case $path in
      share/lintian/* | */changelog.Debian.gz)
        printf "  - {src: '%s', dst: '/usr/%s', packager: deb}\n" "$1/$path" "$path"
        ;;
      share/zsh/site-functions/*) # Debian's zsh looks in another folder
        for format in deb:vendor-completions rpm:site-functions archlinux:site-functions; do
          printf "  - {src: '%s', dst: '/usr/share/zsh/%s', packager: %s}\n" "$1/$path" \
            "${format#*:}/${path##*/}" "${format%:*}"
        done
        ;;
      *)
        printf "  - {src: '%s', dst: '/usr/%s'}\n" "$1/$path" "$path"
        ;;
    esac
  done
}

make_packages() { # ARCHITECTURE TREE FOLDER
  local format
  cat >"$2/../nfpm.yaml" <<YAML
name: retry-exec
arch: $1
platform: linux
version: $version
release: 1
section: utils
priority: optional
maintainer: $maintainer
vendor: The retry-exec authors
homepage: https://github.com/$REPOSITORY
license: MIT
description: |
  retries a command when its failure is transient
  The command runs as if retry-exec were not there. When it fails, its output
  is matched against named rules: a transient failure is tried again after a
  growing wait, every other one stops at once with the command's own exit code.
  With retry-rules, which shows and checks rules, and retry-publish, which
  publishes container images.
mtime: $(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
contents:
$(contents "$2/usr")
YAML
  for format in deb rpm archlinux; do
    "$tools/nfpm-$nfpm_version/nfpm" package --config "$2/../nfpm.yaml" --packager "$format" --target "$3/"
  done
}

# In Debian's form. The libraries' own terms are in NOTICES.gz beside it.
copyright() {
  cat <<TEXT
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: retry-exec
Source: https://github.com/$REPOSITORY
Comment: The executables are linked statically. The terms of the libraries in
 them are in NOTICES.gz beside this file.

Files: *
Copyright: $(sed -nE 's/^Copyright \(c\) (.*)/\1/p' "$source_root/LICENSE")
License: MIT
$(sed '1,/^Copyright/d; /./,$!d; s/^$/./; s/^/ /' "$source_root/LICENSE" | sed '1{/^ \.$/d}')
TEXT
}

debian_changelog() { # VERSION
  cat <<TEXT
retry-exec ($1-1) unstable; urgency=medium

  * See https://github.com/$REPOSITORY/releases for what is new.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
TEXT
}
