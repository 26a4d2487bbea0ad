#!/usr/bin/env python3
"""The library's networks that torchvision does not have, beside PyTorch modules (modules.py):
library_torch.py WORK-FOLDER [NETWORK...]

Their tensors come in the same order with the same shapes; the names are those of the layers in the
.net file. Counts must be equal, and values as in library.py."""
import json
import sys

import numpy
import torch

from frameworks import (COMPILED_LIMIT, NETWORKS, REFERENCE_LIMIT, check_all, distance, netc, randomise,
                        run_float64, run_layers, save)
from modules import (Bert, Gpt2, Tagger, UNet, dscnn, lenet5, lenet5_1998, mobilenet_v1, tiny_yolo_v2,
                     xception)

# network -> file, module, what makes it small, tokens below this instead of any numbers
MODELS = {
    "lenet5": ("lenet", lenet5, None, 0), "lenet5_1998": ("lenet", lenet5_1998, None, 0),
    "xception": ("xception", xception, "size=71", 0), "dscnn": ("dscnn", dscnn, None, 0),
    "mobilenet_v1": ("mobilenet", mobilenet_v1, "size=64", 0),
    "tiny_yolo_v2": ("yolo", tiny_yolo_v2, "size=64", 0), "unet": ("unet", UNet, "size=188", 0),
    "tagger": ("tagger", Tagger, None, 10_000), "bert": ("bert", Bert, "length=5", 2),
    "gpt2": ("gpt2", Gpt2, "length=5", 50257),
}


def tensors_of(model):
    return [tensor for name, tensor in model.state_dict().items() if "num_batches" not in name]


def check(name, folder):
    file, make, smaller, tokens = MODELS[name]
    torch.manual_seed(0)
    model = randomise(make(), 1)
    where = (NETWORKS / f"{file}.net", f"--network={name}", *(("-D", smaller) if smaller else ()))
    report = json.loads(netc("report", "--format=json", *where))
    ours = [weight for layer in report["layers"] for weight in layer["weights"]]
    owned = {weight["name"]: weight for weight in ours}  # shared ones are there more than once
    theirs = tensors_of(model)
    shapes = [list(tensor.shape) for tensor in theirs]
    if [weight["shape"] for weight in owned.values()] != shapes:
        return f"weights of shapes {[w['shape'] for w in owned.values()]}, PyTorch has {shapes}"
    count = sum(parameter.numel() for parameter in model.parameters())
    if report["totals"]["trainable"] != count:
        return f"{report['totals']['trainable']:,} trainable parameters, PyTorch has {count:,}"

    generator = numpy.random.default_rng(7)
    inputs = [(generator.integers(0, tokens, entry["shape"]) if tokens
               else generator.standard_normal(entry["shape"])).astype(numpy.float32)
              for entry in report["inputs"]]
    weights = folder / f"{name}.safetensors"
    save(dict(zip(owned, theirs)), weights)
    options = [f"--weights={weights}"]
    for i, values in enumerate(inputs):
        numpy.save(folder / f"input{i}.npy", values)
        options.append(f"--input={folder / f'input{i}.npy'}")
    outputs = {kind: [f"--output={folder / f'{kind}{i}.npy'}" for i in range(len(report["outputs"]))]
               for kind in ("compiled", "reference")}
    layers = run_layers(*where, *options, *outputs["compiled"])
    netc("run", *where, *options, "--reference", *outputs["reference"])
    weights.unlink()
    expected = run_float64(model, [values[None] for values in inputs])
    expected = expected if isinstance(expected, tuple) else (expected,)
    far = {kind: max(distance(numpy.load(folder / f"{kind}{i}.npy"), result[0].numpy())
                     for i, result in enumerate(expected)) for kind in ("compiled", "reference")}
    if not (far["reference"] <= REFERENCE_LIMIT + 2.0 ** -24 and far["compiled"] <= COMPILED_LIMIT):
        return f"shares of the range from PyTorch's result: {far}"
    print(f"{name:18} {count:>12,} parameters, reference within {far['reference']:.1e}, "
          f"compiled within {far['compiled']:.1e} of the range, each layer within {layers:.2f} of its bound",
          flush=True)
    return None


check_all(sys.argv[1], sys.argv[2:] or MODELS, check)
