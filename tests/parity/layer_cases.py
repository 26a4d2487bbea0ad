"""The cases of layers.py: for each layer calls in the language beside the same in PyTorch.

A case is a call, the shapes of its inputs without the batch, and a module or function of batched
float64 tensors. A module's state dict is saved as it is, below the label of the layer: its names
and layouts are part of what is compared. Shapes come from a generator with a fixed seed."""
import random
from dataclasses import dataclass
from typing import Callable

import numpy
import torch
from torch import nn
from torch.nn import functional as F

RANDOM = random.Random(20)


@dataclass
class Case:
    layer: str
    arguments: str
    shapes: list
    theirs: Callable
    tokens: int = 0  # inputs are whole numbers below this, where it is not 0

    @property
    def call(self):
        return f"{self.layer}({self.arguments})" if self.arguments else self.layer


def single(number):
    """A constant as netc has it: the decimal number rounded once to f32."""
    return float(numpy.float32(number))


def between(low, high):
    return RANDOM.randint(low, high)


def size(extents):
    return "x".join(map(str, extents))


def word(flag):
    return "on" if flag else "off"


def image(rank, low=4, high=9, channels=None):
    return [channels or between(1, 9), *(between(low, high) for _ in range(rank))]


def extents(rank, low, high):
    return [between(low, high) for _ in range(rank)]


def sides(before, after):
    """Padding at all sides: the language has all the starts first, F.pad pairs from the last axis."""
    text = f"({', '.join(map(str, before + after))})"
    pairs = [side for pair in zip(reversed(before), reversed(after)) for side in pair]
    return text, pairs


def same(shape, kernel, stride, dilation):
    """TensorFlow's SAME, ONNX's SAME_UPPER: what is odd goes to the end."""
    totals = [max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
              for n, k, s, d in zip(shape, kernel, stride, dilation)]
    return sides([t // 2 for t in totals], [t - t // 2 for t in totals])[1]


class After(nn.Module):
    """A module behind F.pad: the sides that its own argument cannot express."""

    def __init__(self, module, pairs, value=0.0):
        super().__init__()
        self.pairs, self.value = pairs, value
        self.inner = module

    def state_dict(self, *arguments, **keywords):
        return self.inner.state_dict(*arguments, **keywords)

    def forward(self, x):
        return self.inner(F.pad(x, self.pairs, value=self.value))


CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLS = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
ADAPTIVE_POOLS = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d}  # netc has no adaptive pooling of volumes
BATCH_NORMS = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
INSTANCE_NORMS = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


def convolution(rank, padding):
    """One random conv or depthwise; padding is a number, `sides` or `same`."""
    depthwise = between(0, 2) == 0
    kernel, stride = extents(rank, 1, 3), extents(rank, 1, 3)
    dilation = extents(rank, 1, 2)
    bias = between(0, 1)
    groups = between(1, 3)
    shape = image(rank, 5, 9, groups * between(1, 4))
    pairs = [0] * (2 * rank)
    if padding == "same":
        text, pairs = "same", same(shape[1:], kernel, stride, dilation)
    elif padding == "sides":
        text, pairs = sides(extents(rank, 0, 2), extents(rank, 0, 2))
    else:
        text = padding
    if depthwise:
        multiplier = between(1, 3)
        groups, filters = shape[0], shape[0] * multiplier
        name, first, extra = "depthwise", "", f"multiplier={multiplier}"
    else:
        filters = groups * between(1, 6)
        name, first, extra = "conv", f"{filters}, ", f"groups={groups}"
    module = CONVOLUTIONS[rank](shape[0], filters, kernel, stride,
                                padding if isinstance(padding, int) else 0,
                                dilation, groups, bool(bias))
    arguments = (f"{first}{size(kernel)}, stride={size(stride)}, pad={text}, "
                 f"dilation={size(dilation)}, {extra}, bias={word(bias)}")
    return Case(name, arguments, [shape], After(module, pairs) if any(pairs) else module)


class Separable(nn.Module):
    """PyTorch leaves it to the user: one bias, after the second part."""

    def __init__(self, channels, multiplier, filters, kernel, bias, **window):
        super().__init__()
        inner, rank = channels * multiplier, len(kernel)
        self.depthwise = CONVOLUTIONS[rank](channels, inner, kernel, groups=channels, bias=False, **window)
        self.pointwise = CONVOLUTIONS[rank](inner, filters, 1, bias=bias)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


def separable(rank):
    shape, kernel = image(rank, 5, 9), extents(rank, 1, 3)
    window = {"stride": extents(rank, 1, 3), "dilation": extents(rank, 1, 2), "padding": between(0, 1)}
    multiplier, filters, bias = between(1, 3), between(1, 9), bool(between(0, 1))
    arguments = (f"{filters}, {size(kernel)}, stride={size(window['stride'])}, pad={window['padding']}, "
                 f"dilation={size(window['dilation'])}, multiplier={multiplier}, bias={word(bias)}")
    return Case("separable", arguments, [shape],
                Separable(shape[0], multiplier, filters, kernel, bias, **window))


def transposed(rank):
    kernel, stride, dilation = extents(rank, 1, 4), extents(rank, 1, 3), extents(rank, 1, 2)
    pad = [between(0, d * (k - 1)) // 2 for k, d in zip(kernel, dilation)]
    more = [between(0, s - 1) for s in stride]
    groups, bias = between(1, 3), between(0, 1)
    shape = image(rank, 2, 6, groups * between(1, 4))
    filters = groups * between(1, 5)
    module = TRANSPOSED[rank](shape[0], filters, kernel, stride, pad, more, groups, bool(bias), dilation)
    return Case("deconv", f"{filters}, {size(kernel)}, stride={size(stride)}, pad={size(pad)}, "
                f"outputpad={size(more)}, dilation={size(dilation)}, groups={groups}, "
                f"bias={word(bias)}", [shape], module)


class Affine(nn.Module):
    """A pooling with a trained factor and a trained number for each channel."""

    def __init__(self, pool, channels, scale, bias):
        super().__init__()
        self.pool = pool
        if scale:
            self.weight = nn.Parameter(torch.randn(channels))
        if bias:
            self.bias = nn.Parameter(torch.randn(channels))

    def forward(self, x):
        y = self.pool(x)
        along = [-1] + [1] * (y.dim() - 2)
        if hasattr(self, "weight"):
            y = y * self.weight.view(along)
        return y + self.bias.view(along) if hasattr(self, "bias") else y


def pooled(layer, arguments, shape, pool):
    """The pooling with each choice of its trained numbers in turn."""
    scale, bias = between(0, 1), between(0, 1)
    extra = f"scale={word(scale)}, bias={word(bias)}"
    return Case(layer, f"{arguments}, {extra}" if arguments else extra, [shape],
                Affine(pool, shape[0], scale, bias))


def norms_of_windows(window, stride, pad, dilation, ceil, p):
    """As ONNX's LpPool: of what is there. PyTorch's scales up a window that ceil=on cuts."""
    rank = len(window)
    places = MAX_POOLS[rank](window, stride, pad, dilation, ceil_mode=ceil)
    sums = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    room = [side for k, s, q, d in reversed(list(zip(window, stride, pad, dilation)))
            for side in (q, q + s + d * k)]

    def norms(x):
        ones = torch.ones(x.shape[1], 1, *window, dtype=x.dtype)
        all_of_them = sums(F.pad(x.abs() ** p, room), ones, stride=stride, dilation=dilation,
                           groups=x.shape[1])
        return all_of_them[(..., *(slice(n) for n in places(x).shape[2:]))] ** (1 / p)
    return norms


def pooling(rank):
    shape, window = image(rank, 5, 10), extents(rank, 1, 3)
    stride, dilation = extents(rank, 1, 3), extents(rank, 1, 2)
    pad = [between(0, k // 2) for k in window]
    ceil = bool(between(0, 1))
    common = f"{size(window)}, stride={size(stride)}, pad={size(pad)}, ceil={word(ceil)}"
    yield pooled("maxpool", f"{common}, dilation={size(dilation)}", shape,
                 MAX_POOLS[rank](window, stride, pad, dilation, ceil_mode=ceil))
    p = between(1, 2)
    yield pooled("lppool", f"{common}, dilation={size(dilation)}, p={p}", shape,
                 norms_of_windows(window, stride, pad, dilation, ceil, p))
    count = bool(between(0, 1))
    yield pooled("avgpool", f"{common}, countpad={word(count)}", shape,
                 AVERAGE_POOLS[rank](window, stride, pad, ceil, count))
    asked = extents(rank, 1, 6)
    if rank in ADAPTIVE_POOLS:
        yield pooled("adaptiveavgpool", size(asked), shape, ADAPTIVE_POOLS[rank](asked))
    spatial = tuple(range(2, rank + 2))
    yield pooled("globalavgpool", "", shape, lambda x: x.mean(spatial))
    yield pooled("globalmaxpool", "", shape, lambda x: x.amax(spatial))
    pairs = same(shape[1:], window, stride, dilation)
    yield Case("maxpool", f"{size(window)}, stride={size(stride)}, pad=same, dilation={size(dilation)}",
               [shape], After(MAX_POOLS[rank](window, stride, 0, dilation), pairs, -numpy.inf))


def dense(turn):
    units, bias = between(1, 20), bool(between(0, 1))
    shape = [between(1, 20) for _ in range(turn % 3 + 1)]
    axis = ", axis=-1" if len(shape) > 1 else ""
    yield Case("dense", f"{units}, bias={word(bias)}{axis}", [shape],
               nn.Linear(shape[-1], units, bias))


class Along(nn.Module):
    """nn.LayerNorm and nn.RMSNorm take trailing axes only: moves the axis there and back."""

    def __init__(self, module, axis):
        super().__init__()
        self.inner, self.axis = module, axis

    def state_dict(self, *arguments, **keywords):
        return self.inner.state_dict(*arguments, **keywords)

    def forward(self, x):
        axis = self.axis + 1  # behind the batch
        return self.inner(x.movedim(axis, -1)).movedim(-1, axis)


def numbers(items):
    """A list as an argument is written."""
    return str(items[0]) if len(items) == 1 else "(" + ", ".join(map(str, items)) + ")"


class Normalize:
    """torchvision.transforms.Normalize: its formula, for any number of spatial axes."""

    def __init__(self, mean, std):
        self.mean, self.std = (torch.tensor([*map(single, items)]).double() for items in (mean, std))

    def __call__(self, x):
        along = (-1,) + (1,) * (x.dim() - 2)
        return (x - self.mean.view(along)) / self.std.view(along)


def normalisation(turn):
    rank = turn % 4
    eps = RANDOM.choice(["1e-5", "1e-3", "0.1"])
    affine, bias = bool(between(0, 1)), bool(between(0, 1))
    shape = image(rank, 2, 6)
    yield Case("batchnorm", f"eps={eps}, affine={word(affine)}", [shape],
               BATCH_NORMS[rank](shape[0], float(eps), affine=affine))
    groups = between(1, 4)
    shape = image(rank, 2, 6, groups * between(2, 4))
    yield Case("groupnorm", f"{groups}, eps={eps}, affine={word(affine)}", [shape],
               nn.GroupNorm(groups, shape[0], float(eps), affine))
    many = [[between(-20, 20) / 10 for _ in range(shape[0])], [between(1, 20) / 10 for _ in range(shape[0])]]
    mean, std = many[0] if turn % 2 else many[0][:1], many[1] if turn % 3 else many[1][:1]
    yield Case("normalize", f"mean={numbers(mean)}, std={numbers(std)}", [shape], Normalize(mean, std))
    rank = turn % 3 + 1
    shape = image(rank, 2, 6)
    yield Case("instancenorm", f"eps={eps}, affine={word(affine)}", [shape],
               INSTANCE_NORMS[rank](shape[0], float(eps), affine=affine))
    neighbours = between(1, 6)
    yield Case("lrn", f"{neighbours}, alpha=0.5, beta=0.625, k=1.5", [shape],
               nn.LocalResponseNorm(neighbours, 0.5, 0.625, 1.5))
    axis = between(0, rank)
    norm = nn.LayerNorm(shape[axis], float(eps), affine, bias)
    yield Case("layernorm", f"axis={axis}, eps={eps}, affine={word(affine)}"
               + (f", bias={word(bias)}" if affine else ""), [shape], Along(norm, axis))
    yield Case("layernorm", f"axis={tuple(range(1, rank + 1)) if rank > 1 else 1}", [shape],
               nn.LayerNorm(shape[1:], 1e-5))
    yield Case("rmsnorm", f"axis={axis}, eps={eps}, affine={word(affine)}", [shape],
               Along(nn.RMSNorm(shape[axis], float(eps), affine), axis))
    yield Case("rmsnorm", f"axis={rank}", [shape], nn.RMSNorm(shape[-1], 2.0 ** -23))


def scaled_exponential(x):
    """F.selu with its two constants in f32."""
    return single(1.0507009873554805) * F.elu(x, single(1.6732632423543772))


def activations(turn):
    shape = [between(1, 17) for _ in range(turn % 4 + 1)]
    for name in ("relu", "relu6", "sigmoid", "tanh", "softsign", "softplus", "silu",
                 "mish", "hardsigmoid", "hardswish", "gelu", "elu", "hardtanh"):
        yield Case(name, "", [shape], getattr(F, name))
    yield Case("selu", "", [shape], scaled_exponential)
    for name in ("abs", "exp", "neg"):
        yield Case(name, "", [shape], getattr(torch, name))
    yield Case("sqrt", "", [shape], torch.sqrt)  # NaN below 0 in both
    yield Case("gelu", "approximate=on", [shape], nn.GELU("tanh"))
    slope, low, high = between(0, 100) / 100, -between(0, 20) / 10, between(1, 20) / 10
    yield Case("leakyrelu", str(slope), [shape], nn.LeakyReLU(slope))
    yield Case("elu", f"alpha={high}", [shape], nn.ELU(single(high)))
    limits = nn.Hardtanh(single(low), single(high))
    yield Case("clip", f"{low}, {high}", [shape], limits)
    yield Case("hardtanh", f"min={low}, max={high}", [shape], limits)
    for name, function in (("softshrink", nn.Softshrink), ("hardshrink", nn.Hardshrink)):
        yield Case(name, "", [shape], function())
        yield Case(name, f"lambda={high}", [shape], function(single(high)))
    yield Case("prelu", "", [shape], nn.PReLU(shape[0]))
    yield Case("prelu", "shared=on", [shape], nn.PReLU())
    axis = between(0, len(shape) - 1)
    yield Case("softmax", f"axis={axis}", [shape], nn.Softmax(axis + 1))
    yield Case("logsoftmax", f"axis={axis}", [shape], nn.LogSoftmax(axis + 1))
    yield Case("dropout", "rate=0.3", [shape], nn.Dropout(0.3))
