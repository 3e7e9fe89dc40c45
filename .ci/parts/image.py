#!/usr/bin/env python3
"""usage: image.py VERSION COMMIT FILE ARCHITECTURE=TREE...: a container image for several platforms.

FILE becomes an OCI image layout in a tar archive. An image has the static executables in / and their licences, and
nothing else: FROM scratch. With SOURCE_DATE_EPOCH set it is the same each time. No container engine is needed."""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

PROGRAMS = ("retry-exec", "retry-publish", "retry-rules")
DOCUMENTS = ("copyright", "NOTICES.gz", "retry-exec.spdx.json")
SECONDS = int(os.environ["SOURCE_DATE_EPOCH"])
OCI = "application/vnd.oci.image."


def add(archive, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), mode, SECONDS
    archive.addfile(entry, io.BytesIO(content))


def layer_of(tree):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for program in PROGRAMS:
            add(archive, program, (tree / "usr/bin" / program).read_bytes(), 0o755)
        for folder in ("usr", "usr/share", "usr/share/doc", "usr/share/doc/retry-exec"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, SECONDS
            archive.addfile(entry)
        for document in DOCUMENTS:
            name = f"usr/share/doc/retry-exec/{document}"
            add(archive, name, (tree / name).read_bytes())
    return raw.getvalue()


class Layout:
    def __init__(self):
        self.blobs = {}

    def blob(self, media_type, content):
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def json(self, media_type, value):
        return self.blob(media_type, json.dumps(value, separators=(",", ":"), sort_keys=True).encode())

    def write(self, path, index):
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
            add(archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            add(archive, "index.json", json.dumps(index).encode())
            for digest in sorted(self.blobs):
                add(archive, f"blobs/sha256/{digest}", self.blobs[digest])


def manifest_of(layout, tree, architecture, labels):
    raw = layer_of(tree)
    layer = layout.blob(OCI + "layer.v1.tar+gzip", gzip.compress(raw, 9, mtime=0))
    config = layout.json(OCI + "config.v1+json", {
        "created": labels["org.opencontainers.image.created"],
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/retry-exec"], "Env": ["PATH=/:/usr/local/bin:/usr/bin:/bin"], "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(raw).hexdigest()]},
        "history": [{"created": labels["org.opencontainers.image.created"], "created_by": ".ci/release"}],
    })
    manifest = layout.json(OCI + "manifest.v1+json", {
        "schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": [layer],
    })
    return {**manifest, "platform": {"architecture": architecture, "os": "linux"}}


def main():
    version, commit, path, *trees = sys.argv[1:]
    prefix = "org.opencontainers.image."
    labels = {
        prefix + "title": "retry-exec",
        prefix + "version": version,
        prefix + "revision": commit,
        prefix + "source": "https://github.com/" + os.environ["REPOSITORY"],
        prefix + "licenses": "MIT",
        prefix + "created": datetime.fromtimestamp(SECONDS, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    layout = Layout()
    manifests = []
    for tree in trees:
        architecture, folder = tree.split("=", 1)
        manifests.append(manifest_of(layout, Path(folder), architecture, labels))
    index = layout.json(OCI + "index.v1+json", {
        "schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": manifests, "annotations": labels,
    })
    layout.write(path, {"schemaVersion": 2, "mediaType": OCI + "index.v1+json",
                        "manifests": [{**index, "annotations": {prefix + "ref.name": version}}]})


main()
