#!/usr/bin/env python3
"""Every fix that netc calls applicable, applied alone, makes its message go and no other come; so do
all of them by `netc check --fix`, and by patch(1) with the diff of a dry run.  fixes.py NETC ROOT"""
import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

netc, root = map(os.path.abspath, sys.argv[1:])
problems = []
applied = 0
# second mistakes that are planted behind the first, to see that they are silent until it is mended
BEHIND = {("E0217-dense.net", "E0210"), ("E0301-unknown-layer.net", "E0211"),
          ("E0302-unknown-name.net", "E0210"), ("lib/wrong.net", "E0308")}


def networks():
    """Name and text of every network with mistakes: those of the tests, and the wrong examples."""
    for path in sorted(glob.glob(f"{root}/tests/errors/*.net") + glob.glob(f"{root}/tests/syntax/error-*.net")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        parts = re.split(r"^#--- (\S+)\n", text, flags=re.M)
        yield from [(os.path.basename(path), parts[0])] if len(parts) == 1 else zip(parts[1::2], parts[2::2])
    for path in sorted(glob.glob(f"{root}/src/output/explain/*.md")):
        with open(path, encoding="utf-8") as file:
            example = re.search(r"^Wrong:\n```net\n(.*?)^```$", file.read(), re.M | re.S)
        if example:
            yield os.path.basename(path), example[1]


def messages(folder, text):
    """All but W0305, which shows only where nothing else is wrong."""
    path = os.path.join(folder, "n.net")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    said = subprocess.run([netc, "check", "--diagnostics=json", "-Wno-W0305", path],
                          capture_output=True, text=True, check=False).stderr
    return [json.loads(line) for line in said.splitlines()]


def same(message):
    """What makes two messages of two runs one: not the places, which an edit moves."""
    return message["code"], message["message"]


def come(name, before, after):
    """The messages that an edit brought."""
    return [said for said in collections.Counter(map(same, after)) - collections.Counter(map(same, before))
            if (name, said[0]) not in BEHIND]


def try_all(name, folder, text, before):
    path = os.path.join(folder, "n.net")
    messages(folder, text)
    diff = subprocess.run([netc, "check", "--fix=dry-run", path], capture_output=True, check=False).stdout
    subprocess.run([netc, "check", "--fix", path], capture_output=True, check=False)
    with open(path, "rb") as file:
        mended = file.read()
    after = messages(folder, mended.decode())
    if come(name, before, after) or not set(map(same, before)) - set(map(same, after)):
        problems.append(f"{name}: --fix brings {come(name, before, after)}")
    messages(folder, text)
    subprocess.run(["patch", "--quiet", "--binary", path], input=diff, check=True)
    with open(path, "rb") as file:
        if file.read() != mended:
            problems.append(f"{name}: the diff is not what --fix does")


def try_fix(name, folder, text, before, index, fix):
    data = text.encode()
    mended = data[:fix["begin"]["byte"]] + fix["replacement"].encode() + data[fix["end"]["byte"]:]
    more = come(name, before[:index] + before[index + 1:], messages(folder, mended.decode()))
    if more:
        problems.append(f"{name}:{before[index]['begin']['line']}: {same(before[index])}\n"
                        f"    {fix['message']}: {fix['replacement']!r}\n    then {more}")


with tempfile.TemporaryDirectory() as work:
    for network, source in networks():
        found = messages(work, source)
        for number, one in enumerate(found):
            for offer in one["fixes"]:
                if offer["applicable"]:
                    try_fix(network, work, source, found, number, offer)
                    applied += 1
        if any(offer["applicable"] for one in found for offer in one["fixes"]):
            try_all(network, work, source, found)
print("\n".join(problems + [f"{applied} fixes, {len(problems)} problems"]))
sys.exit(1 if problems or applied < 50 else 0)
