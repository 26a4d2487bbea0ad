#!/usr/bin/env python3
"""Reports as JSON against docs/report.schema.json, and against themselves: figures of layers add up
to those of groups and of the network.  report_schema.py NETC SCHEMA FILE.net..."""
import json
import subprocess
import sys

from jsonschema import Draft202012Validator

netc, schema_path, *files = sys.argv[1:]
with open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)

FIGURES = ["parameters", "trainable", "frozen", "macs", "operations", "flops", "weight_bytes",
           "activation_bytes"]
LARGE = """network large(x: [3_000_000_000, 50_000_000]) {
    return x -> deep: { "0": conv(4, 1) -> batchnorm -> conv(8, 3, stride=2) }
}"""


def report(path, *options, text=None):
    command = [netc, "report", "--format=json", *options, path]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def expect(condition, path, what):
    if not condition:
        sys.exit(f"{path}: {what}")


def figures(row):
    return [int(row[name]) for name in FIGURES]


def total(rows):
    return [sum(column) for column in zip([0] * len(FIGURES), *map(figures, rows))]


def check(path, *options, text=None):
    plain = report(path, *options, text=text)
    explained = report(path, *options, "--explain", text=text)
    expect(plain == report(path, *options, text=text), path, "the bytes differ from run to run")
    without = json.loads(explained)
    for layer in without["layers"]:
        expect(all((name in layer["formulas"]) == (layer[name] != 0) for name in FIGURES), path,
               f"formulas of {layer['path']}")
        del layer["formulas"]
    expect(json.loads(plain) == without, path, "--explain changes more than formulas")
    for instance in (json.loads(plain), json.loads(explained)):
        for error in validator.iter_errors(instance):
            sys.exit(f"{path}: {list(error.absolute_path)}: {error.message}")
    instance = json.loads(plain)
    layers = instance["layers"]
    expect(total(layers) == figures(instance["totals"]), path, "layers and totals")
    for group in instance["groups"]:
        inside = [layer for layer in layers if layer["path"].startswith(group["path"] + ".")]
        expect(len(inside) == group["layers"] and total(inside) == figures(group), path,
               f"layers of {group['path']}")
    for layer in layers:
        expect(int(layer["flops"]) == 2 * int(layer["macs"]) + int(layer["operations"]), path,
               f"flops of {layer['path']}")
    return instance


for file in files:
    check(file)
compiled = check(files[0], "--target=x86_64-linux-gnu", "--cpu=x86-64-v4,x86-64-v2")["compiled"]
expect([row["cpu"] for row in compiled["processors"]] == ["x86-64-v2", "x86-64-v4"], files[0],
       "the processors")
expect(compiled["arena_bytes"] == max(row["arena_bytes"] for row in compiled["processors"]),
       files[0], "the arena of all processors")
large = check("-", text=LARGE)
expect(large["layers"][0]["macs"] == str(50_000_000 * 4 * 3_000_000_000), "large", "not exact")
expect(large["layers"][0]["parameters"] == 12_000_000_004, "large", "a small number as a text")
expect(any(True for _ in validator.iter_errors({**large, "more": 1})), "schema", "takes anything")
