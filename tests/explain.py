#!/usr/bin/env python3
"""Every code of a diagnostic has a page for `netc explain`, and every page a code. The first example
of a page gives that code and no other message, the second gives none.  explain.py NETC ROOT"""
import os
import re
import subprocess
import sys
import tempfile

netc, root = map(os.path.abspath, sys.argv[1:])
WITHOUT_EXAMPLE = {"E0603"}  # would be a network that netc compiles wrongly

tools = os.pathsep.join([os.path.dirname(netc), os.path.dirname(sys.executable), os.environ["PATH"]])
problems = []


def read(path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def parts(example):
    """The network and the commands of an example; either may be missing."""
    network = re.search(r"^```net\n(.*?)^```$", example, re.M | re.S)
    commands = re.search(r"^```shell-session\n(.*?)^```$", example, re.M | re.S)
    lines = commands[1].splitlines() if commands else ["$ netc check example.net"]
    return network and network[1], [line.removeprefix("$ ") for line in lines]


def run(network, commands):
    """Exit status and the messages of the last command, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        if network:
            with open(os.path.join(folder, "example.net"), "w", encoding="utf-8") as file:
                file.write(network)
        for command in commands:
            result = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True,
                                    env=dict(os.environ, PATH=tools), check=False)
            if result.returncode != 0 and command != commands[-1]:
                sys.exit(f"{command}\n{result.stderr}")
        return result.returncode, result.stderr


def check(code, page):
    wrong, right = re.fullmatch(r".*?\nWrong:\n(.*?)^Right:\n(.*)", page, re.M | re.S).groups()
    network, commands = parts(wrong)
    status, messages = run(network, commands)
    if set(re.findall(r"^(?:error|warning)\[(\w+)\]", messages, re.M)) != {code} or \
            (status == 0) != (code[0] == "W"):
        problems.append(f"{code}: the wrong example gives status {status} and\n{messages}")
    mended, commands = parts(right)
    status, messages = run(mended or network, commands)
    if status != 0 or re.search(r"^(error|warning)\[", messages, re.M):
        problems.append(f"{code}: the right example gives status {status} and\n{messages}")


codes = re.findall(r"^DIAGNOSTIC\((\w+),", read("src/support/diag_codes.def"), re.M)
pages = {name.removesuffix(".md") for name in os.listdir(f"{root}/src/output/explain")}
for name in sorted(pages ^ set(codes)):
    problems.append(f"{name}: {'a page without a code' if name in pages else 'no page'}")
for code in codes:
    text = read(f"src/output/explain/{code}.md") if code in pages else ""
    if max(map(len, re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S).splitlines()), default=0) > 80:
        problems.append(f"{code}: a line of more than 80 characters")
    if text and code not in WITHOUT_EXAMPLE:
        check(code, text)
    elif "\nWrong:\n" in text:
        problems.append(f"{code}: has an example that is not run")
print("\n".join(problems + [f"{len(codes)} codes, {len(problems)} problems"]))
sys.exit(1 if problems or len(codes) < 50 else 0)
