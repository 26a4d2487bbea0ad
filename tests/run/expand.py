#!/usr/bin/env python3
"""Expands a case file into networks: expand.py CASES > FILE.net

A line is `SHAPE -> steps`, or `(inputs) : expression` for anything else, before which there may be
named values, each ended by a `;`; `#` starts a comment.
<a|b|c> stands for each of its parts in turn; <a|b>... several in a line give all combinations,
and a second <=1> repeats the choice of the first group (counted from 1)."""
import itertools
import os
import re
import sys

CHOICE = re.compile(r"<([^<>]*)>")


def expand(line):
    parts = CHOICE.split(line)
    groups = parts[1::2]
    choices = [group.split("|") for group in groups if not group.startswith("=")]
    for picked in itertools.product(*choices):
        fresh = iter(picked)
        text = parts[0]
        for group, rest in zip(groups, parts[2::2]):
            text += (picked[int(group[1:]) - 1] if group.startswith("=") else next(fresh)) + rest
        yield text


def network(name, case):
    if case.startswith("("):
        inputs, body = case.split(" : ", 1)
    else:
        shape, steps = case.split("->", 1)
        inputs, body = f"(x: {shape.strip()})", f"x -> {steps.strip()}"
    *values, result = body.split(";")
    lines = "".join(f"{value.strip()}\n" for value in values)
    return f"network {name}{inputs} {{\n{lines}return {result.strip()}\n}}"


def main():
    stem = os.path.splitext(os.path.basename(sys.argv[1]))[0]
    number = 0
    for line in open(sys.argv[1], encoding="utf-8"):
        line = line.split("#")[0].strip()
        for case in expand(line) if line else ():
            print(network(f"{stem}_{number}", case))
            number += 1


main()
