#!/usr/bin/env python3
"""Compiles every network of the library; its asserts hold the counts. Those that torchvision does not
have and that take the reference no more than a few seconds are run beside it, small where they can
be; the others are in tests/parity.  library.py NETC FOLDER"""
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


def run_network(file, name):
    options = [word for define in RUN[name] for word in ("-D", define)]
    done = call(file, name, "run", "--compare-layers", *options)
    if done.returncode == 0 and (not re.search(r"at most 0\.\d+ of the bound", done.stdout)
                                 or "have no bound" in done.stdout):
        failures.append(f"{file.name}: {name}: {done.stdout}")


with tempfile.TemporaryDirectory() as work:
    for source, network in networks:
        compile_network(source, network, work)
        if network in RUN:
            run_network(source, network)
failures += [f"there is no network {name}" for name in RUN.keys() - {name for _, name in networks}]
for failure in failures:
    print(failure)
print(f"{len(networks)} networks, {len(failures)} failures")
sys.exit(1 if failures or not networks else 0)
