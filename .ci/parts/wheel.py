#!/usr/bin/env python3
"""usage: wheel.py VERSION MACHINE TREE README FOLDER: a PyPI wheel whose scripts are the static executables.

They run on any Linux of that MACHINE (x86_64, aarch64), so that the wheel is for glibc and musl alike. TREE is the
installation (usr/bin, …); FOLDER is where the wheel goes. With SOURCE_DATE_EPOCH set it is the same each time."""

import base64
import hashlib
import os
import sys
import time
import zipfile
from pathlib import Path

PROGRAMS = ("retry-exec", "retry-publish", "retry-rules")
METADATA = """\
Metadata-Version: 2.1
Name: retry-exec
Version: {version}
Summary: Retries a command when its failure is transient, and only then
License: MIT
Project-URL: Source, https://github.com/{repository}
Classifier: License :: OSI Approved :: MIT License
Classifier: Operating System :: POSIX :: Linux
Classifier: Topic :: Software Development :: Build Tools
Requires-Python: >=3.6
Description-Content-Type: text/markdown

"""


class Wheel:
    def __init__(self, path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
        self.date = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))[:6]
        self.record = []

    def add(self, name, content, mode=0o644):
        entry = zipfile.ZipInfo(name, self.date)
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(entry, content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(content)}\n")

    def close(self, record):
        self.add(record, "".join(self.record + [f"{record},,\n"]).encode())
        self.zip.close()


def main():
    version, machine, tree, readme, folder = sys.argv[1], sys.argv[2], *map(Path, sys.argv[3:])
    # The second is what pip calls the first before version 20.3.
    platforms = (f"manylinux_2_17_{machine}", f"manylinux2014_{machine}", f"musllinux_1_1_{machine}")
    name = f"retry_exec-{version}"
    wheel = Wheel(folder / f"{name}-py3-none-{'.'.join(platforms)}.whl")
    for program in PROGRAMS:
        wheel.add(f"{name}.data/scripts/{program}", (tree / "usr/bin" / program).read_bytes(), 0o755)
    for page in sorted((tree / "usr/share/man").rglob("*.gz")):
        wheel.add(f"{name}.data/data/{page.relative_to(tree / 'usr')}", page.read_bytes())
    information = f"{name}.dist-info"
    for file in ("copyright", "NOTICES.gz"):
        wheel.add(f"{information}/licenses/{file}", (tree / "usr/share/doc/retry-exec" / file).read_bytes())
    wheel.add(f"{information}/sboms/retry-exec.spdx.json",
              (tree / "usr/share/doc/retry-exec/retry-exec.spdx.json").read_bytes())
    metadata = METADATA.format(version=version, repository=os.environ["REPOSITORY"])
    wheel.add(f"{information}/METADATA", metadata.encode() + readme.read_bytes())
    tags = "".join(f"Tag: py3-none-{platform}\n" for platform in platforms)
    wheel.add(f"{information}/WHEEL",
              f"Wheel-Version: 1.0\nGenerator: retry-exec\nRoot-Is-Purelib: false\n{tags}".encode())
    wheel.close(f"{information}/RECORD")


main()
