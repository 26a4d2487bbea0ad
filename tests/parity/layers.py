#!/usr/bin/env python3
"""Every layer and argument of netc against PyTorch on random shapes: layers.py WORK-FOLDER

The layers of a family become one network with a result for each case, its shape written as PyTorch
has it, so that a case costs no process. The float64 reference must be what PyTorch computes in
float64, and the compiled code within the derived bound of the reference (run --compare). A layer
or argument of `netc layers` that no case has fails the script."""
import itertools
import pathlib
import re
import sys
from collections import Counter

import numpy
import torch
from safetensors.torch import save_file

import layer_cases as first
import layer_cases_more as more
from frameworks import netc

SAMPLES = 2
CASES_OF_A_NETWORK = 60
REFERENCE_LIMIT = 1e-12  # of the range: both sides compute in float64, in other orders


def families():
    yield "convolution", [first.convolution(turn % 3 + 1, padding) for turn in range(15)
                          for padding in (0, 1, "sides", "same")]
    yield "separable", [first.separable(turn % 3 + 1) for turn in range(18)]
    yield "transposed", [first.transposed(turn % 3 + 1) for turn in range(24)]
    makers = {"pooling": (lambda turn: first.pooling(turn % 3 + 1), 12), "dense": (first.dense, 15),
              "normalisation": (first.normalisation, 12), "activation": (first.activations, 6),
              "sequence": (more.sequence, 12), "shuffle": (more.shuffles, 9), "index": (more.indices, 9),
              "shape": (more.shapes, 9), "merge": (more.merges, 8), "reduction": (more.reductions, 8)}
    for name, (maker, turns) in makers.items():
        yield name, [case for turn in range(turns) for case in maker(turn)]


class Network:
    """Some cases as the results of one network."""

    def __init__(self, name, cases, folder):
        self.name, self.cases, self.folder = name, cases, folder
        generator = numpy.random.default_rng(5)
        self.inputs = [[inputs_of(case, shape, generator) for shape in case.shapes] for case in cases]
        self.weights = {}
        self.expected = [self.compute(f"c{i}", case, inputs)
                         for i, (case, inputs) in enumerate(zip(cases, self.inputs))]

    def compute(self, label, case, inputs):
        """PyTorch's results in float64, from weights rounded to f32 that are kept under the label."""
        module = case.theirs
        if isinstance(module, torch.nn.Module):
            module.eval()
            randomise_norms(module)
            for name, tensor in module.state_dict().items():
                if tensor.is_floating_point():
                    self.weights[f"{label}.{name}"] = tensor.clone().contiguous()
            module = module.double()
        with torch.no_grad():
            results = module(*(torch.from_numpy(x).double() for x in inputs))
        return [r.numpy() for r in (results if isinstance(results, tuple) else (results,))]

    def text(self):
        inputs = [f"x{i}_{j}: {shape}" for i, case in enumerate(self.cases)
                  for j, shape in enumerate(case.shapes)]
        results = [f"y{i}_{j}: {list(y.shape[1:])}" for i, ys in enumerate(self.expected)
                   for j, y in enumerate(ys)]
        lines = []
        for i, case in enumerate(self.cases):
            left = ", ".join(f"y{i}_{j}" for j in range(len(self.expected[i])))
            right = ", ".join(f"x{i}_{j}" for j in range(len(case.shapes)))
            left = f"({left})" if "," in left else left
            right = f"({right})" if "," in right else right
            lines.append(f"    {left} = {right} -> c{i}: {case.call}\n")
        names = ", ".join(result.split(":")[0] for result in results)
        return (f"network {self.name}({', '.join(inputs)}) -> ({', '.join(results)}) {{\n"
                f"{''.join(lines)}    return ({names})\n}}\n")

    def run(self):
        """Writes the network, its weights and inputs; yields (case, problem or None)."""
        source = self.folder / f"{self.name}.net"
        source.write_text(self.text(), encoding="utf-8")
        arguments = ["run", source]
        if self.weights:
            save_file(self.weights, self.folder / f"{self.name}.safetensors")
            arguments.append(f"--weights={self.folder / self.name}.safetensors")
        for number, x in enumerate(itertools.chain.from_iterable(self.inputs)):
            file = self.folder / f"input{number}.npy"
            numpy.save(file, x)
            arguments.append(f"--input={file}")
        files = [[self.folder / f"y{i}_{j}.npy" for j in range(len(ys))]
                 for i, ys in enumerate(self.expected)]
        netc(*arguments, "--reference", *(f"--output={f}" for f in itertools.chain(*files)))
        for case, theirs, ours in zip(self.cases, self.expected, files):
            yield case, next(filter(None, map(difference, theirs, map(numpy.load, ours))), None)
        netc(*arguments, "--compare", "--cpu=native")


def inputs_of(case, shape, generator):
    if case.tokens:
        return generator.integers(0, case.tokens, (SAMPLES, *shape)).astype(numpy.float32)
    return generator.standard_normal((SAMPLES, *shape), dtype=numpy.float32)


def randomise_norms(module):
    """Weights that begin as ones and zeros would hide a layer that leaves them out."""
    for part in module.modules():
        for name in ("running_mean", "weight", "bias"):
            tensor = getattr(part, name, None)
            if isinstance(tensor, torch.Tensor):
                torch.nn.init.normal_(tensor)
        if isinstance(getattr(part, "running_var", None), torch.Tensor):
            torch.nn.init.uniform_(part.running_var, 0.1, 2)


def difference(theirs, ours):
    """What is wrong with a result of the reference, which is written as f32."""
    if theirs.shape != ours.shape:
        return f"shape {ours.shape}, PyTorch's is {theirs.shape}"
    rounding = abs(theirs) * 2.0 ** -24 + 2.0 ** -149
    limit = numpy.nanmax(abs(theirs), initial=0) * REFERENCE_LIMIT + rounding
    wrong = ~((abs(ours - theirs) <= limit) | (numpy.isnan(ours) & numpy.isnan(theirs)))
    if not wrong.any():
        return None
    place = tuple(map(int, numpy.argwhere(wrong)[0]))
    return (f"{wrong.sum()} of {wrong.size} differ: {ours[place]!s} at {list(place)}, "
            f"PyTorch has {theirs[place]!s}")


def arguments_of_layers():
    """layer -> {optional argument: words it takes beside its default}, from netc's documentation."""
    layers = {}
    for section in netc("layers", "--format=markdown").split("\n### ")[1:]:
        name, _, body = section.partition("\n")
        rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|", body, re.MULTILINE)
        layers[name] = {}
        for argument, takes, default, values in rows:
            if default != "required":
                words = re.findall(r"`(\w+)`", values if takes == "word" else takes)
                layers[name][argument] = [w for w in words if f"`{w}`" != default]
    return layers


def uncovered(cases):
    """What the documentation has and no case: layers, arguments, words."""
    calls = {}
    for case in cases:
        calls[case.layer] = calls.get(case.layer, "") + ", " + case.arguments
    for layer, arguments in arguments_of_layers().items():
        if layer not in calls:
            yield layer
            continue
        for argument, words in arguments.items():
            for word in words or [""]:
                if f"{argument}={word}" not in calls[layer]:
                    yield f"{layer}({argument}={word or '...'})"


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    passed, tried, failures, cases = Counter(), Counter(), [], []
    for family, members in families():
        cases += members
        for start in range(0, len(members), CASES_OF_A_NETWORK):
            name = f"{family}_{start // CASES_OF_A_NETWORK}"
            try:
                for case, problem in Network(name, members[start:start + CASES_OF_A_NETWORK], folder).run():
                    tried[case.layer] += 1
                    passed[case.layer] += problem is None
                    if problem:
                        failures.append(f"{case.shapes} -> {case.call}: {problem}")
            except RuntimeError as error:
                failures.append(f"{name}: {error}")
    failures += [f"no case has {what}" for what in uncovered(cases)]
    for layer in tried:
        print(f"{layer:16} {passed[layer]:4} of {tried[layer]:4}")
    if failures:
        print("\n".join(failures))
    print(f"{sum(passed.values())} of {sum(tried.values())} cases of {len(tried)} layers agree with PyTorch, "
          f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
