#!/usr/bin/env python3
"""Compiles every network of the library; its asserts hold the counts. Those that torchvision does not
have and that take the reference no more than a few seconds are run beside it, small where they can
be; the others are in tests/parity. The arena is hardly larger than the busiest step needs.
library.py NETC FOLDER"""
import pathlib
import re
import subprocess
import sys
import tempfile

# network -> what makes it small
RUN = {
    "lenet5_1998": [], "lenet5": [], "dscnn": [], "tagger": [], "mobilenet_v1": ["size=64"],
    "tiny_yolo_v2": ["size=64"], "xception": ["size=71"],
}

ARENA_LIMIT = 1.05  # of the bytes that the busiest step needs
ALIGNMENT = 64  # bytes, of each buffer

netc, folder = sys.argv[1:]
networks = [(file, name) for file in sorted(pathlib.Path(folder).glob("*.net"))
            for name in re.findall(r"^network (\w+)", file.read_text(encoding="utf-8"), re.M)]
failures = []


def call(file, name, *arguments):
    done = subprocess.run([netc, *arguments, file, f"--network={name}"], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        failures.append(f"{file.name}: {name}: exit status {done.returncode}\n{done.stderr}")
    return done


def compile_network(file, name, work):
    done = call(file, name, "--weights-mode=none", "-O1", f"--output={work}/network.o")
    if done.returncode == 0 and done.stderr:
        failures.append(f"{file.name}: {name}: {done.stderr}")


def number(text):
    return int(text.replace("_", ""))


def check_arena(file, name):
    plan = call(file, name, "--emit=plan", "--cpu=x86-64-v3").stdout
    needed = {}
    for begin, end, size in re.findall(r"^  b\d+  arena \+\d+, steps (\d+) to (\d+), ([\d_]+) byte", plan, re.M):
        for step in range(int(begin), int(end) + 1):
            needed[step] = needed.get(step, 0) + (number(size) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    arena = number(re.search(r"^arena ([\d_]+) byte", plan, re.M)[1])
    if arena > ARENA_LIMIT * max(needed.values()):
        failures.append(f"{file.name}: {name}: an arena of {arena} bytes, {max(needed.values())} would do")


def run_network(file, name):
    options = [word for define in RUN[name] for word in ("-D", define)]
    done = call(file, name, "run", "--compare-layers", *options)
    if done.returncode == 0 and (not re.search(r"at most 0\.\d+ of the bound", done.stdout)
                                 or "have no bound" in done.stdout):
        failures.append(f"{file.name}: {name}: {done.stdout}")


with tempfile.TemporaryDirectory() as work:
    for source, network in networks:
        compile_network(source, network, work)
        check_arena(source, network)
        if network in RUN:
            run_network(source, network)
failures += [f"there is no network {name}" for name in RUN.keys() - {name for _, name in networks}]
for failure in failures:
    print(failure)
print(f"{len(networks)} networks, {len(failures)} failures")
sys.exit(1 if failures or not networks else 0)
