#!/usr/bin/env python3
"""Runs every command of README.md, bench/README.md and docs/*.md from the root of the project, with
`build/` standing for the build folder: each line of each block that is marked `sh`, and the first
line of each block that is marked `console`, whose other lines must be what it prints.
docs.py ROOT BUILD"""
import os
import re
import subprocess
import sys

root, build = map(os.path.abspath, sys.argv[1:3])
pages = ["README.md", "bench/README.md"] + sorted(os.path.join("docs", name) for name in os.listdir(f"{root}/docs"))
os.makedirs(f"{build}/docs", exist_ok=True)
ran = failed = 0


def run(page, command, expected=None):
    global ran, failed
    actual = re.sub(r"(^|[ =]|-I)build/", rf"\g<1>{build}/", command)
    result = subprocess.run(actual, shell=True, cwd=root, capture_output=True, text=True,
                            check=False)
    ran += 1
    if result.returncode != 0 or expected not in (None, result.stdout):
        failed += 1
        print(f"{page}: {command}\n{result.stdout}{result.stderr}")


for page in pages:
    with open(os.path.join(root, page), encoding="utf-8") as file:
        text = file.read()
    for kind, block in re.findall(r"^```(sh|console)\n(.*?)^```", text, re.M | re.S):
        if kind == "sh":
            for line in block.splitlines():
                run(page, line)
        else:
            line, expected = block.split("\n", 1)
            run(page, line.removeprefix("$ "), expected)
print(f"{ran} commands, {failed} failed")
sys.exit(1 if failed or ran < 5 else 0)
