#!/usr/bin/env python3
"""What `netc check --diagnostics=json` says of each network in tests/errors, line for line as in
tests/errors/golden/NAME.jsonl. A network of which it says nothing (its code is one of another verb,
option or file) has the JSON among its own checks; and each code has a network.

    goldens.py NETC ROOT             compares
    goldens.py NETC ROOT --update    writes what is said now: to be read before it is committed"""
import pathlib
import re
import subprocess
import sys

NETC, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
FOLDER = ROOT / "tests/errors"
GOLDEN = FOLDER / "golden"
UPDATE = "--update" in sys.argv
NOT_TO_BE_SHOWN = {"E0603"}     # would take a miscompilation
OF_THE_PLAN = {"E0501-arena"}   # its numbers are those of the buffers, which may change

problems = []


def said_of(network):
    done = subprocess.run([NETC, "check", "--diagnostics=json", network.name], cwd=FOLDER, capture_output=True,
                          check=False)
    return done.stderr


def compare(network):
    golden = GOLDEN / f"{network.stem}.jsonl"
    said = b"" if network.stem in OF_THE_PLAN else said_of(network)
    if not said:
        if golden.exists():
            problems.append(f"{golden.name}: nothing is said of the network")
        if network.stem not in OF_THE_PLAN and "# JSON:" not in network.read_text(encoding="utf-8"):
            problems.append(f"{network.name}: nothing is said, and it does not check its JSON itself")
    elif UPDATE:
        golden.write_bytes(said)
    elif not golden.exists() or golden.read_bytes() != said:
        problems.append(f"{network.name}: not as in golden/{golden.name}, but\n{said.decode()}")


def main():
    GOLDEN.mkdir(exist_ok=True)
    networks = sorted(FOLDER.glob("*.net"))
    for network in networks:
        compare(network)
    for golden in GOLDEN.glob("*.jsonl"):
        if not (FOLDER / f"{golden.stem}.net").exists():
            problems.append(f"{golden.name}: without a network")
    text = (ROOT / "src/support/diag_codes.def").read_text(encoding="utf-8")
    codes = set(re.findall(r"^DIAGNOSTIC\((\w+),", text, re.M)) - NOT_TO_BE_SHOWN
    shown = {network.stem.split("-")[0] for network in networks}
    problems.extend(f"{code}: no network in tests/errors" for code in sorted(codes - shown))
    print("\n".join([*problems, f"{len(networks)} networks, {len(problems)} problems"]))
    sys.exit(1 if problems else 0)


main()
