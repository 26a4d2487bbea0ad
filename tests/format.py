#!/usr/bin/env python3
"""Lists the C files of the tree that are not formatted as .clang-format says; to mend one:
clang-format-19 -i FILE.  format.py ROOT CLANG-FORMAT"""
import pathlib
import re
import subprocess
import sys

root, clang_format = sys.argv[1:]
files = [str(path.relative_to(root)) for top in ("include", "src", "runtime", "tests", "examples")
         for path in sorted(pathlib.Path(root, top).rglob("*.[ch]"))]
check = subprocess.run([clang_format, "--dry-run", "-Werror", *files], cwd=root,
                       capture_output=True, text=True, check=False)
places = re.findall(r"^(.+?):(\d+):\d+: error: code should be clang-formatted", check.stderr, re.M)
for file in sorted({file for file, _ in places}):
    lines = [line for other, line in places if other == file]
    print(f"{file}: not formatted, first at line {lines[0]}")
if check.returncode != 0 and not places:
    print(check.stderr)
print(f"{len(files)} files, {len({file for file, _ in places})} not formatted")
sys.exit(1 if check.returncode != 0 or len(files) < 50 else 0)
