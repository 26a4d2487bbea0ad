#!/usr/bin/env python3
"""`netc format` on every .net text of the tree: files, those inside of tests, the code of the docs
and the layers' examples. The syntax tree stays the same, as do the comments; a second run changes
nothing; and the files under examples/ are in the canonical layout.  layout.py ROOT NETC FILE..."""
import concurrent.futures
import pathlib
import re
import subprocess
import sys

root, netc, *more = sys.argv[1:]
problems = []


def run(text, *arguments):
    return subprocess.run([netc, *arguments, "-"], input=text, capture_output=True, check=False)


def comments(text):
    """Sorted: a comma that stood behind a comment is moved before it."""
    return sorted(comment.rstrip(b" \t") for comment in
                  re.findall(rb'"(?:[^"\\\r\n]|\\.)*"|(#[^\r\n]*)', text) if comment)


def check(name, text):
    """Was the text one without mistakes?"""
    tree = run(text, "--emit=ast")
    shown = run(text, "format")
    if (tree.returncode == 0) != (shown.returncode == 0):
        problems.append(f"{name}: format gives status {shown.returncode}, the parser another")
    if tree.returncode != 0 or shown.returncode != 0:
        return False
    once = shown.stdout
    if run(once, "--emit=ast").stdout != tree.stdout:
        problems.append(f"{name}: another syntax tree")
    if comments(once) != comments(text):
        problems.append(f"{name}: other comments")
    if run(once, "format").stdout != once or run(once, "format", "--check").returncode != 0:
        problems.append(f"{name}: not settled after one run")
    if re.search(rb"[ \t\r]$|\n\n\n|\A\n|\n\n\Z", once, re.M):
        problems.append(f"{name}: needless blanks")
    return True


def texts():
    trees = [path for top in ("examples", "tests") for path in pathlib.Path(root, top).rglob("*.net")]
    for path in sorted(trees) + [pathlib.Path(name) for name in more]:
        text = path.read_bytes()
        yield str(path), text
        for part in re.split(rb"^#--- .*\n", text, flags=re.M)[1:]:
            yield f"a part of {path}", part
    for path in [pathlib.Path(root, "README.md"), *sorted(pathlib.Path(root, "docs").glob("*.md"))]:
        for block in re.findall(rb"^```\n(.*?)^```", path.read_bytes(), re.M | re.S):
            yield f"a block of {path}", block
    listed = subprocess.run([netc, "layers"], capture_output=True, text=True, check=True).stdout
    for layer in re.findall(r"^  (\w+)", listed, re.M):
        shown = subprocess.run([netc, "layers", layer], capture_output=True, check=True).stdout
        yield f"the example of {layer}", shown.split(b"\nexample:\n", 1)[1]


def main():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        fine = list(pool.map(lambda pair: check(*pair), texts()))
    for path in sorted(pathlib.Path(root, "examples").rglob("*.net")):
        checked = subprocess.run([netc, "format", "--check", path], capture_output=True, text=True,
                                 check=False)
        if checked.returncode != 0:
            problems.append(checked.stderr)
    for problem in problems:
        print(problem)
    print(f"{sum(fine)} of {len(fine)} texts formatted, {len(problems)} problems")
    sys.exit(1 if problems or sum(fine) < 50 else 0)


main()
