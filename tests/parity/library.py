#!/usr/bin/env python3
"""The networks of examples/networks against torchvision's: library.py WORK-FOLDER [NETWORK...]

For each: the same number of trainable parameters; the state dict, saved as it is, binds without
renaming a tensor; and with the same random weights and input the compiled code and the float64
reference give what PyTorch computes in float64."""
import json
import pathlib
import sys

import numpy
import torch

from frameworks import distance, netc, randomise, run_float64, save

NETWORKS = pathlib.Path(__file__).parents[2] / "examples/networks"
REFERENCE_LIMIT = 1e-9  # both sides compute in float64: what differs is the order of summation
COMPILED_LIMIT = 1e-4  # f32 through a hundred layers, beside the derived bound (run --compare)

# network -> file, size of the image where the full one takes the reference too long
TORCHVISION = {
    "resnet18": ("resnet", 64), "resnet34": ("resnet", 64), "resnet50": ("resnet", 64),
    "resnet101": ("resnet", 64), "resnet152": ("resnet", 64),
    "resnext50_32x4d": ("resnet", 64), "wide_resnet50_2": ("resnet", 64),
    "squeezenet1_0": ("squeezenet", 96), "squeezenet1_1": ("squeezenet", 96),
    "googlenet": ("googlenet", 96),
    "inception_v3": ("inception", 107),
    "densenet121": ("densenet", 64), "densenet169": ("densenet", 64), "densenet201": ("densenet", 64),
    "mobilenet_v2": ("mobilenet", 96),
    "mnasnet1_0": ("mnasnet", 96),
}


def make(name):
    from torchvision import models
    torch.manual_seed(0)
    extra = {}
    if name == "googlenet":
        extra = {"aux_logits": False, "init_weights": False}
    if name == "inception_v3":
        extra = {"aux_logits": True, "init_weights": False}
    model = getattr(models, name)(weights=None, **extra)
    if name == "inception_v3":
        model.AuxLogits = None
        model.aux_logits = False
    return randomise(model, 1)


def check(name, folder):
    file, size = TORCHVISION[name]
    source = NETWORKS / f"{file}.net"
    model = make(name)
    report = json.loads(netc("report", "--format=json", f"--network={name}", source))
    ours = report["totals"]["trainable"]
    theirs = sum(parameter.numel() for parameter in model.parameters())
    if ours != theirs:
        return f"{ours:,} trainable parameters, torchvision has {theirs:,}"

    image = numpy.random.default_rng(7).standard_normal((3, size, size), dtype=numpy.float32)
    weights = folder / f"{name}.safetensors"
    numpy.save(folder / "image.npy", image)
    save(model, weights)
    common = ("run", source, f"--network={name}", "-D", f"size={size}", f"--weights={weights}",
              f"--input={folder / 'image.npy'}")
    netc(*common, "--compare", "--cpu=native", f"--output={folder / 'compiled.npy'}")
    netc(*common, "--reference", f"--output={folder / 'reference.npy'}")
    weights.unlink()
    expected = run_float64(model, [image[None]])[0].numpy()
    compiled = distance(numpy.load(folder / "compiled.npy"), expected)
    # the reference is written as f32: half a unit in the last place of the largest value
    reference = distance(numpy.load(folder / "reference.npy"), expected)
    if reference > REFERENCE_LIMIT + 2.0 ** -24:
        return f"the reference is {reference:.2g} of the range from PyTorch's result"
    if compiled > COMPILED_LIMIT:
        return f"the compiled code is {compiled:.2g} of the range from PyTorch's result"
    print(f"{name:18} {theirs:>12,} parameters, reference within {reference:.1e}, "
          f"compiled within {compiled:.1e} of the range", flush=True)
    return None


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
    names = sys.argv[2:] or TORCHVISION
    for name in names:
        try:
            problem = check(name, folder)
        except RuntimeError as error:
            problem = str(error)
        if problem:
            failures += 1
            print(f"{name}: {problem}", flush=True)
    print(f"{len(names) - failures} passed, {failures} failed")
    sys.exit(1 if failures else 0)


main()
