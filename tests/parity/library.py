#!/usr/bin/env python3
"""The networks of examples/networks against torchvision's: library.py WORK-FOLDER [NETWORK...|all]

For each: the same number of trainable parameters; the state dict, saved as it is, binds without
renaming a tensor; and with the same random weights and input the compiled code and the float64
reference give what PyTorch computes in float64, each compiled layer within the derived bound of its
reference. Without names, larger sisters of a network that is checked so
are only counted."""
import json
import re
import sys

import numpy
import torch

from frameworks import (COMPILED_LIMIT, NETWORKS, REFERENCE_LIMIT, check_all, distance, netc, randomise,
                        run_float64, run_layers, save)

# network -> file, and a smaller image than the full one, which takes the reference long
TORCHVISION = {
    "alexnet": ("alexnet", "size=96"),
    "vgg11": ("vgg", "size=32"), "vgg13": ("vgg", "size=32"), "vgg16": ("vgg", "size=32"), "vgg19": ("vgg", "size=32"),
    "vgg11_bn": ("vgg", "size=32"), "vgg13_bn": ("vgg", "size=32"), "vgg16_bn": ("vgg", "size=32"), "vgg19_bn": ("vgg", "size=32"),
    "resnet18": ("resnet", "size=64"), "resnet34": ("resnet", "size=64"), "resnet50": ("resnet", "size=64"),
    "resnet101": ("resnet", "size=64"), "resnet152": ("resnet", "size=64"),
    "resnext50_32x4d": ("resnet", "size=64"), "wide_resnet50_2": ("resnet", "size=64"),
    "squeezenet1_0": ("squeezenet", "size=96"), "squeezenet1_1": ("squeezenet", "size=96"),
    "googlenet": ("googlenet", "size=96"),
    "inception_v3": ("inception", "size=107"),
    "densenet121": ("densenet", "size=64"), "densenet169": ("densenet", "size=64"), "densenet201": ("densenet", "size=64"),
    "mobilenet_v2": ("mobilenet", "size=96"),
    "mobilenet_v3_large": ("mobilenet_v3", "size=96"), "mobilenet_v3_small": ("mobilenet_v3", "size=96"),
    "efficientnet_b0": ("efficientnet", "shrink=3"), "efficientnet_b1": ("efficientnet", "shrink=4"),
    "efficientnet_b2": ("efficientnet", "shrink=4"), "efficientnet_b3": ("efficientnet", "shrink=5"),
    "efficientnet_b4": ("efficientnet", "shrink=6"), "efficientnet_b5": ("efficientnet", "shrink=8"),
    "efficientnet_b6": ("efficientnet", "shrink=9"), "efficientnet_b7": ("efficientnet", "shrink=10"),
    "shufflenet_v2_x1_0": ("shufflenet", "size=96"),
    "regnet_x_400mf": ("regnet", "size=96"), "regnet_y_400mf": ("regnet", "size=96"),
    "convnext_tiny": ("convnext", "size=64"), "vit_b_16": ("vit", "size=64"),
    "mnasnet1_0": ("mnasnet", "size=96"),
    "swin_t": ("swin", "size=64"), "swin_s": ("swin", "size=64"), "swin_b": ("swin", "size=64"),
}


# Sisters, of the same blocks as another that is run
COUNTED = {
    "vgg13", "vgg19", "vgg11_bn", "vgg13_bn", "vgg19_bn", "resnet34", "resnet101", "resnet152",
    "densenet169", "densenet201", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3",
    "efficientnet_b4", "efficientnet_b6", "efficientnet_b7", "swin_s", "swin_b",
}

# Parameters that PyTorch has no layer for stand alone in its state dict, with axes of size 1: what
# the layer that owns them here calls them.
OWNED = {
    "convnext_tiny": (r"layer_scale$", lambda tensor: tensor.flatten()),
    "vit_b_16": (r"class_token$|pos_embedding$", lambda tensor: tensor[0]),
}


def state_of(name, model):
    """The state dict, every name kept but for those in OWNED."""
    pattern, shape = OWNED.get(name, (r"$^", None))
    return {path + ".weight" if re.search(pattern, path) else path:
            shape(tensor) if re.search(pattern, path) else tensor
            for path, tensor in model.state_dict().items()}


def make(name):
    from torchvision import models
    torch.manual_seed(0)
    extra = {}
    if name == "googlenet":
        extra = {"aux_logits": False, "init_weights": False}
    if name == "vit_b_16":
        extra = {"image_size": 64} # a parameter for each place: another size is another network
    if name == "inception_v3":
        extra = {"aux_logits": True, "init_weights": False}
    model = getattr(models, name)(weights=None, **extra)
    if name == "inception_v3":
        model.AuxLogits = None
        model.aux_logits = False
    return randomise(model, 1)


def check(name, folder, run):
    file, smaller = TORCHVISION[name]
    source = NETWORKS / f"{file}.net"
    model = make(name)
    report = json.loads(netc("report", "--format=json", f"--network={name}", source))
    small = json.loads(netc("report", "--format=json", f"--network={name}", "-D", smaller, source))
    ours = (small if name == "vit_b_16" else report)["totals"]["trainable"]
    theirs = sum(parameter.numel() for parameter in model.parameters())
    if ours != theirs:
        return f"{ours:,} trainable parameters, torchvision has {theirs:,}"
    if not run:
        print(f"{name:18} {theirs:>12,} parameters", flush=True)
        return None
    image = numpy.random.default_rng(7).standard_normal(small["inputs"][0]["shape"], dtype=numpy.float32)
    weights = folder / f"{name}.safetensors"
    numpy.save(folder / "image.npy", image)
    save(state_of(name, model), weights)
    common = (source, f"--network={name}", "-D", smaller, f"--weights={weights}",
              f"--input={folder / 'image.npy'}")
    layers = run_layers(*common, f"--output={folder / 'compiled.npy'}")
    netc("run", *common, "--reference", f"--output={folder / 'reference.npy'}")
    weights.unlink()
    expected = run_float64(model, [image[None]])[0].numpy()
    compiled = distance(numpy.load(folder / "compiled.npy"), expected)
    # the reference is written as f32: half a unit in the last place of the largest value
    reference = distance(numpy.load(folder / "reference.npy"), expected)
    if not reference <= REFERENCE_LIMIT + 2.0 ** -24:
        return f"the reference is {reference:.2g} of the range from PyTorch's result"
    if not compiled <= COMPILED_LIMIT:
        return f"the compiled code is {compiled:.2g} of the range from PyTorch's result"
    print(f"{name:18} {theirs:>12,} parameters, reference within {reference:.1e}, "
          f"compiled within {compiled:.1e} of the range, each layer within {layers:.2f} of its bound",
          flush=True)
    return None


names = TORCHVISION if sys.argv[2:] in ([], ["all"]) else sys.argv[2:]
check_all(sys.argv[1], names,
          lambda name, folder: check(name, folder, bool(sys.argv[2:]) or name not in COUNTED))
