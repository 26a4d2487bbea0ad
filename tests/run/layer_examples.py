"""Prints the examples of docs/layers.md as one file of networks, each named after its layer.
layer_examples.py PAGE"""
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    page = file.read()
sections = re.findall(r"^### (\w+)\n.*?^```net\n(.*?)^```", page, re.M | re.S)
assert len(sections) == len(re.findall(r"^### ", page, re.M)) > 0
for name, example in sections:
    print(example.replace("network example(", f"network {name}_example("))
