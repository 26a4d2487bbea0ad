"""What the parity scripts share: PyTorch and torchvision as this project uses them, and netc."""
import os
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


def netc(*arguments):
    """Runs netc; its output, or an exception with its messages."""
    done = subprocess.run([NETC, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"netc {' '.join(map(str, arguments))}\n{done.stderr.strip()}")
    return done.stdout


def randomise(model, seed):
    """Weights that keep a signal alive through many layers, with statistics that batch norm has
    something to do with."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=generator) * 0.1)
            module.running_var.copy_(torch.rand(module.running_var.shape, generator=generator) + 0.5)
    return model.eval()


def save(model, path):
    """The state dict as it is, every name kept."""
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)


def run_float64(model, inputs):
    """The exact result: the f32 weights and inputs, computed in float64."""
    with torch.no_grad():
        return model.double()(*[torch.from_numpy(x).double() for x in inputs])


def distance(actual, expected):
    """The largest difference, as a share of the largest expected value."""
    expected = numpy.asarray(expected)
    return float(abs(actual - expected).max() / abs(expected).max())
