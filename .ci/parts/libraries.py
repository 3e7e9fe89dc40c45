"""The libraries that are linked into the static executables: what is known of each, by its archive's name."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Library:
    name: str
    license: str  # SPDX
    homepage: str
    version: str = ""  # of Debian's package
    package: str = ""
    copyright: str = ""  # the file's name


KNOWN = {
    r"libboost_.*": Library("Boost", "BSL-1.0", "https://www.boost.org/"),
    r"libpcre2-8": Library("PCRE2", "BSD-3-Clause", "https://www.pcre.org/"),
    r"libyaml-cpp": Library("yaml-cpp", "MIT", "https://github.com/jbeder/yaml-cpp"),
    r"libstdc\+\+": Library("libstdc++", "GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org/"),
    r"libgcc(_eh)?": Library("libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org/"),
    r"lib[cm](-[0-9.]+)?|libmvec": Library("glibc", "LGPL-2.1-or-later", "https://www.gnu.org/software/libc/"),
}


def read(lines):
    """One Library for each name, from lines of `archive package version copyright-file`."""
    found = {}
    for line in lines:
        archive, package, version, copyright_file = line.split()
        stem = archive.removesuffix(".a")
        known = next((library for pattern, library in KNOWN.items() if re.fullmatch(pattern, stem)), None)
        if known is None:
            raise SystemExit(f"{archive} is linked in, and nothing is known of its licence: add it to {__file__}")
        found.setdefault(
            known.name, Library(known.name, known.license, known.homepage, version, package, copyright_file)
        )
    return list(found.values())


def notice(library):
    """What Debian's copyright file says. Boost's, of 2 MB, is about all of Boost: only its licence."""
    text = Path(library.copyright).read_text(encoding="utf-8")
    if library.name == "Boost":
        license = re.search(r"(?m)^ ?Boost Software License - Version 1\.0.*\n(?: .*\n)+", text)
        if license is None:
            raise SystemExit(f"{library.copyright}: no text of the Boost Software License")
        text = re.sub(r"(?m)^ \.?", "", license.group())
    return text.strip() + "\n"
