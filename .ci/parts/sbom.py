#!/usr/bin/env python3
"""usage: sbom.py VERSION ARCHITECTURE COMMIT SECONDS FILE... <linked >SBOM: SPDX 2.3, as JSON.

What is in the executables FILE..., built from COMMIT, whose date is SECONDS since 1970."""

import hashlib
import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

import libraries

NOTHING = {"filesAnalyzed": False, "downloadLocation": "NOASSERTION", "copyrightText": "NOASSERTION"}


def identifier(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name.replace("+", "p"))


def purl(library, architecture):
    if library.package.endswith("-cross"):
        architecture = "all"  # a cross compiler's libraries
    return f"pkg:deb/debian/{library.package}@{library.version}?arch={architecture}".replace("+", "%2B")


def package_of(library, architecture):
    return {
        "SPDXID": identifier(library.name),
        "name": library.name,
        "versionInfo": library.version,
        "homepage": library.homepage,
        "licenseConcluded": library.license,
        "licenseDeclared": library.license,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl(library, architecture),
        }],
        **NOTHING,
    }


def file_of(path):
    content = Path(path).read_bytes()
    return {
        "SPDXID": identifier("file-" + Path(path).name),
        "fileName": "./bin/" + Path(path).name,
        "fileTypes": ["BINARY"],
        "checksums": [{"algorithm": name, "checksumValue": hashlib.new(name, content).hexdigest()}
                      for name in ("SHA1", "SHA256")],
        "licenseConcluded": "MIT",
        "copyrightText": "NOASSERTION",
    }


def main():
    version, architecture, commit, seconds, *paths = sys.argv[1:]
    found = libraries.read(sys.stdin)
    files = [file_of(path) for path in paths]
    ours = package_of(libraries.Library("retry-exec", "MIT", "NONE", version), architecture)
    ours.update(sourceInfo="git commit " + commit, externalRefs=[])
    related = [("SPDXRef-DOCUMENT", "DESCRIBES", ours["SPDXID"])]
    related += [("SPDXRef-DOCUMENT", "DESCRIBES", file["SPDXID"]) for file in files]
    related += [(file["SPDXID"], "GENERATED_FROM", ours["SPDXID"]) for file in files]
    related += [(file["SPDXID"], "STATIC_LINK", identifier(library.name)) for file in files for library in found]
    json.dump({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"retry-exec-{version}-linux-{architecture}",
        "documentNamespace": f"https://spdx.org/spdxdocs/retry-exec-{version}-linux-{architecture}-{commit}",
        "creationInfo": {
            "created": datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: retry-exec-release"],
        },
        "packages": [ours] + [package_of(library, architecture) for library in found],
        "files": files,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
                          for a, kind, b in related],
    }, sys.stdout, indent=1)
    print()


main()
