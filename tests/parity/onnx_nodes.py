#!/usr/bin/env python3
"""ONNX's tests of single operators, as far as the language can say them:
onnx_nodes.py WORK-FOLDER [--write]

Each becomes a network of one layer or a few that must give the test's results, within the tolerance that
ONNX has for it, and the derived bound of the reference (run --compare). --write makes
docs/parity.md from what was found."""
import pathlib
import sys
import warnings
from collections import Counter, defaultdict

import numpy
from onnx import helper
from onnx.backend.test.loader import load_model_tests
from safetensors.numpy import save_file

from frameworks import netc
from onnx_operators import OPERATORS, Inapplicable, Node

PAGE = pathlib.Path(__file__).parents[2] / "docs/parity.md"


def node_of(test):
    """The only node of a test with its arrays."""
    graph = test.model.graph
    if len(graph.node) != 1:
        raise Inapplicable("several nodes: an operator written with others, a sequence")
    only = graph.node[0]
    if only.op_type not in OPERATORS:
        raise Inapplicable("no such layer")
    inputs, outputs = test.data_sets[0]
    named = dict(zip((value.name for value in graph.input), inputs))
    results = iter(outputs)
    node = Node({a.name: helper.get_attribute_value(a) for a in only.attribute},
                [named.get(name) for name in only.input],
                [next(results) if name else None for name in only.output])
    places = only.op_type in ("ArgMax", "ArgMin")  # which are i64
    numbers = [node.inputs[0], *([] if places else outputs)]
    if any(getattr(x, "dtype", None) != numpy.float32 for x in numbers):
        raise Inapplicable("elements other than f32")
    if any(0 in x.shape for x in [node.inputs[0], *outputs]):
        raise Inapplicable("no elements")
    if only.op_type == "LayerNormalization":
        node.outputs = outputs[:1]  # mean and deviation are for training
    return only.op_type, node


def samples(array, batched):
    """The array with its batch in front, a batch of one where it has none; no scalars."""
    if batched:
        return array
    return array.reshape(1, *(array.shape or (1,)))


def network(expression, inputs, results):
    """Its text; of inputs and results the first axis is the samples."""
    types = ", ".join(f"x{i}: {list(x.shape[1:])}" for i, x in enumerate(inputs))
    names = ", ".join(f"x{i}" for i in range(len(inputs)))
    value = f"({names})" if len(inputs) > 1 else names
    shapes = ", ".join(f"y{i}: {list(y.shape[1:])}" for i, y in enumerate(results))
    body = expression.body or f"return {value} -> {expression.chain}"
    return f"network node({types}) -> ({shapes}) {{\n    {body}\n}}\n"


def run(test, folder):
    """The problem, or None; raises Inapplicable."""
    operator, node = node_of(test)
    expression = OPERATORS[operator](node)
    if expression.results is None and len(node.outputs) > 1:
        raise Inapplicable("results beside the first")
    inputs = [samples(x, expression.batched) for x in expression.arrays or node.inputs[:expression.inputs]]
    results = [samples(y, expression.batched) for y in expression.results or node.outputs]
    source = folder / f"{test.name}.net"
    source.write_text(network(expression, inputs, results), encoding="utf-8")
    arguments = []
    if expression.weights:
        file = folder / "weights.safetensors"
        save_file({f"op.{name}": numpy.ascontiguousarray(x)
                   for name, x in expression.weights.items()}, file)
        arguments.append(f"--weights={file}")
    for i, x in enumerate(inputs):
        numpy.save(folder / f"x{i}.npy", numpy.ascontiguousarray(x))
        arguments.append(f"--input={folder / f'x{i}.npy'}")
    arguments += [f"--output={folder / f'y{i}.npy'}" for i in range(len(results))]
    try:
        netc("run", source, *arguments, "--compare")
    except RuntimeError as error:
        return str(error).partition("\n")[2]
    for i, expected in enumerate(results):
        ours = numpy.load(folder / f"y{i}.npy")
        if ours.shape != expected.shape:
            return f"{source.name}: {ours.shape} for {expected.shape}"
        if not numpy.allclose(ours, expected, test.rtol, test.atol, equal_nan=True):
            return f"{source.name}: off by {numpy.nanmax(abs(ours - expected))} at most"
    return None


def page(tried, passed, reasons, total):
    rows = "".join(f"| {operator} | {tried[operator]} | {passed[operator]} |\n"
                   for operator in sorted(tried))
    lacks = "".join(f"| {reason} | {count} | {', '.join(sorted(operators))} |\n"
                    for reason, (count, operators) in sorted(reasons.items(), key=lambda r: -r[1][0]))
    return (f"# ONNX's tests of operators\n"
            f"<!-- Made by tests/parity/onnx_nodes.py --write; not to be edited. -->\n"
            f"ONNX comes with {total} tests of nodes. The language can say {sum(tried.values())} of "
            f"them, as a layer or a few; {sum(passed.values())} of those give ONNX's results, compiled, "
            f"within ONNX's tolerance and the derived bound.\n\n"
            f"| operator | tests that apply | pass |\n|---|---|---|\n{rows}\n"
            f"## Why the others do not apply\n"
            f"The name of an attribute stands for a value of it that the layer does not have.\n\n"
            f"| reason | tests | operators |\n|---|---|---|\n{lacks}")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ONNX makes its expected values with divisions by zero
        tests = load_model_tests(kind="node")
    tried, passed, reasons = Counter(), Counter(), defaultdict(lambda: [0, set()])
    for test in tests:
        operator = test.model.graph.node[0].op_type
        try:
            problem = run(test, folder)
        except Inapplicable as reason:
            reasons[str(reason)][0] += 1
            reasons[str(reason)][1].add(operator)
            continue
        tried[operator] += 1
        passed[operator] += problem is None
        if problem:
            print(f"{test.name}: {problem}")
    text = page(tried, passed, reasons, len(tests))
    if "--write" in sys.argv[2:]:
        PAGE.write_text(text, encoding="utf-8")
    print(text)
    sys.exit(1 if passed != tried else 0)


main()
