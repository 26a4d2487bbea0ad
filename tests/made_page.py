#!/usr/bin/env python3
"""A page of docs/ is what `netc VERB --format=markdown` prints.  made_page.py NETC VERB PAGE"""
import difflib
import os
import subprocess
import sys

netc, verb, page = sys.argv[1:]
made = subprocess.run([netc, verb, "--format=markdown"], capture_output=True, text=True,
                      check=True).stdout
with open(page, encoding="utf-8") as file:
    kept = file.read()
if made != kept:
    name = f"docs/{os.path.basename(page)}"
    sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), made.splitlines(True),
                                               name, f"netc {verb}"))
    sys.exit(f"{name} is not up to date; make it anew with\n"
             f"    build/netc {verb} --format=markdown -o {name}")
