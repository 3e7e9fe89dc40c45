#!/usr/bin/env python3
"""usage: notices.py VERSION <linked >NOTICES: the terms of each library that is linked in."""

import sys
from pathlib import Path

import libraries

COMMON = Path("/usr/share/common-licenses")
RELINK = """\
The executables are linked statically, with the GNU C Library among others. It is under the GNU Lesser General Public
License, which gives you the right to use them with a changed copy of it. retry-exec's whole source is public, under
the MIT licence. To link it again, with your own libc.a in place of the system's, take the source of this version and

    meson setup build -Dstatic=true -Dtests=false -Dcpp_link_args=-L/folder/of/your/libc
    ninja -C build

libstdc++ and libgcc are under the GNU General Public License with the GCC Runtime Library Exception, which permits
this use.
"""


def main():
    found = libraries.read(sys.stdin)
    out = [f"Libraries that are part of retry-exec {sys.argv[1]}\n", RELINK]
    out += ["\n".join(f"{library.name} {library.version}: {library.license}" for library in found) + "\n"]
    titled = [(f"{library.name} {library.version}", libraries.notice(library)) for library in found]
    titled += [(name, (COMMON / name).read_text()) for name in ("LGPL-2.1", "GPL-3")]
    for title, text in titled:
        out.append(f"{'=' * 100}\n{title}\n{'=' * 100}\n\n{text}")
    sys.stdout.write("\n".join(out))


main()
