#!/usr/bin/env python3
"""docs/layers.md is what netc prints.  layer_docs.py NETC PAGE"""
import difflib
import subprocess
import sys

netc, page = sys.argv[1:]
made = subprocess.run([netc, "layers", "--format=markdown"], capture_output=True, text=True,
                      check=True).stdout
with open(page, encoding="utf-8") as file:
    kept = file.read()
if made != kept:
    sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), made.splitlines(True),
                                               "docs/layers.md", "netc layers"))
    sys.exit("docs/layers.md is not up to date; make it anew with\n"
             "    build/netc layers --format=markdown -o docs/layers.md")
