#!/usr/bin/env python3
"""usage: start_order.py FOLDER: writes src/main/exec/start.ld anew, from what a run of FOLDER's retry-exec touches.

FOLDER is a build of this clone with -Dstatic=true. Needs valgrind, and some minutes. To be run again when a start has
become slower (tests/release/run start): names in start.ld that no longer exist do no harm, and give nothing."""

import bisect
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "src/main/exec/start.ld"
PROGRAM = "src/main/retry-exec"
RUNS = (["true"], ["--rules", "ghcr", "--", "true"])
ROUNDS = 3

# What valgrind's processor lacks, or what it keeps from a program: the vDSO.
UNSEEN = {"text": ["*libc.a:*(.text.evex .text.evex512)", "*libc.a:dl-object.o(.text)"], "rodata": []}

# Names that many files have.
COMMON = re.compile(r"\.(text|rodata)(\.(un)?likely|\.str\d+\.\d+|\.cst\d+|\.startup|\.hot|\.exit)?")

HEAD = """\
/* Where the functions and constants that every run touches lie in the static retry-exec: side by side. The kernel maps a
 * file in pieces of 64 KiB, each at the price of some system calls; scattered over the executable, they would touch 40.
 * Written by .ci/parts/start_order.py; a name that does not exist is passed over. See INSERT in ld's manual. */
"""


def link(folder, script, target, record):
    """Links the program as the build does, ordered by `script`, with a map of what came where in `record`."""
    commands = subprocess.run(
        ["ninja", "-C", folder, "-t", "commands", PROGRAM], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    words = [word for word in shlex.split(commands[-1]) if not word.endswith(SCRIPT.name)]
    words[words.index("-o") + 1] = str(target)
    subprocess.run([*words, f"-Wl,-Map={record}", f"-Wl,-T,{script}"], cwd=folder, check=True)


def sections(record):
    """The input sections of a linker's map that are not empty: (address, size, name, file), by address."""
    text = record.read_text().split("Linker script and memory map")[1]
    found = re.findall(r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", text, re.M)
    return sorted((int(at, 16), int(size, 16), name, file) for name, at, size, file in found if int(at, 16) and int(size, 16))


def touched(program, log):
    """The addresses that runs of the program execute, read or write."""
    addresses = set()
    for run in RUNS:
        command = ["valgrind", "--tool=lackey", "--trace-mem=yes", f"--log-file={log}", program, *run]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        addresses.update(int(at, 16) for at in re.findall(r"^(?:I | [SLM])\s+([0-9a-f]+),", log.read_text(), re.M))
    return addresses


def pattern(name, file):
    """A section as a linker script names it: by its file too where the name alone could be anybody's."""
    if not COMMON.fullmatch(name):
        return f"*({name})"
    member = re.fullmatch(r"(?:.*/)?([^/]+\.a)\((.+)\)", file)
    return f"*{member[1]}:{member[2]}({name})" if member else f"*{Path(file).name}({name})"


def script(patterns):
    text = HEAD
    for kind, place in (("text", "BEFORE"), ("rodata", "AFTER")):
        lines = "\n".join("    " + line for line in sorted(patterns[kind]) + UNSEEN[kind])
        text += f"SECTIONS\n{{\n  .{kind}.start :\n  {{\n{lines}\n  }}\n}}\nINSERT {place} .{kind};\n"
    return text


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    patterns = {"text": set(), "rodata": set()}
    with tempfile.TemporaryDirectory() as scratch:
        order, program, record, log = (Path(scratch) / name for name in ("order", "program", "record", "log"))
        # Strings that several files have lie in one of them, and in another once that one is ordered.
        for _ in range(ROUNDS):
            order.write_text(script(patterns))
            link(folder, order, program, record)
            places = sections(record)
            starts = [place[0] for place in places]
            for address in touched(program, log):
                index = bisect.bisect_right(starts, address) - 1
                at, size, name, file = places[index] if index >= 0 else (0, 0, "", "")
                kind = name.split(".")[1] if name else ""
                if kind in patterns and address < at + size:
                    patterns[kind].add(pattern(name, file))
    SCRIPT.write_text(script(patterns))


main()
