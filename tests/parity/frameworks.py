"""What the parity scripts share: PyTorch and torchvision as this project uses them, and netc."""
import os
import pathlib
import re
import subprocess
import sys
import types

import numpy
import torch
from safetensors.torch import save_file

# torchvision's compiled ops do not load beside this build of torch, and no model here needs them.
sys.modules.setdefault("torchvision._meta_registrations",
                       types.ModuleType("torchvision._meta_registrations"))

NETC = os.environ.get("NETC", "build/netc")

# The library, and how far from PyTorch's float64 results its networks may be, as a share of the range
NETWORKS = pathlib.Path(__file__).parents[2] / "examples/networks"
REFERENCE_LIMIT = 1e-9  # both sides compute in float64: what differs is the order of summation
COMPILED_LIMIT = 1e-4  # f32 through a hundred layers, beside the derived bound of each layer


def netc(*arguments):
    """Runs netc; its output, or an exception with its messages."""
    done = subprocess.run([NETC, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"netc {' '.join(map(str, arguments))}\n{done.stderr.strip()}")
    return done.stdout


def run_layers(*arguments):
    """Runs a network with each of its layers compared; the largest error as a share of its bound."""
    output = netc("run", *arguments, "--compare-layers", "--cpu=native")
    found = re.search(r"at most (\S+) of the bound", output)
    if not found or "have no bound" in output:
        raise RuntimeError(f"not every layer has a bound:\n{output}")
    return float(found[1])


def randomise(model, seed):
    """No parameter that begins at zero or next to it, and statistics that batch norm has something to
    do with: everything must matter to the result."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.abs().max() < 1e-3:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=generator) * 0.1)
            module.running_var.copy_(torch.rand(module.running_var.shape, generator=generator) + 0.5)
    return model.eval()


def save(state, path):
    """A state dict as it is, every name kept."""
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)


def run_float64(model, inputs):
    """The exact result: the f32 weights and inputs, computed in float64."""
    with torch.no_grad():
        return model.double()(*[torch.from_numpy(x).double() for x in inputs])


def distance(actual, expected):
    """The largest difference, as a share of the largest expected value."""
    expected = numpy.asarray(expected)
    return float(abs(actual - expected).max() / abs(expected).max())


def check_all(folder, names, check):
    """Says what `check(name, folder)` finds wrong with each; ends the script."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    failures = 0
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
