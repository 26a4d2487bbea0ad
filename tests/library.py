#!/usr/bin/env python3
"""Compiles every network of the library; its asserts hold the counts.  library.py NETC FOLDER"""
import pathlib
import re
import subprocess
import sys
import tempfile

netc, folder = sys.argv[1:]
networks = [(file, name) for file in sorted(pathlib.Path(folder).glob("*.net"))
            for name in re.findall(r"^network (\w+)", file.read_text(encoding="utf-8"), re.M)]
failures = 0
with tempfile.TemporaryDirectory() as work:
    for file, name in networks:
        done = subprocess.run([netc, file, f"--network={name}", "--weights-mode=none", "-O1",
                               f"--output={work}/network.o"], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0 or done.stderr:
            failures += 1
            print(f"{file.name}: {name}: exit status {done.returncode}\n{done.stderr}")
print(f"{len(networks)} networks, {failures} failed")
sys.exit(1 if failures or not networks else 0)
