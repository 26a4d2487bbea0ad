"""More cases of layers.py: sequences, shapes, merges and reductions."""
import torch
from torch import nn
from torch.nn import functional as F

from layer_cases import RANDOM, Case, between, extents, image, sides, single, size, word


class Positional(nn.Module):
    """A learned table added to a sequence; PyTorch leaves it to the user."""

    def __init__(self, length, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(length, width))

    def forward(self, x):
        return x + self.weight[:x.shape[1]]


class Prepend(nn.Module):
    """Learned rows before a sequence, as a vision transformer has one for its class."""

    def __init__(self, count, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(count, width))

    def forward(self, x):
        return torch.cat([self.weight.expand(len(x), -1, -1), x], 1)


class Attention(nn.Module):
    """nn.MultiheadAttention as a function of one, two or three sequences."""

    def __init__(self, width, heads, bias, causal):
        super().__init__()
        self.inner, self.causal = nn.MultiheadAttention(width, heads, bias=bias, batch_first=True), causal
        if bias:  # they begin as zeros
            nn.init.normal_(self.inner.in_proj_bias)
            nn.init.normal_(self.inner.out_proj.bias)

    def state_dict(self, *arguments, **keywords):
        return self.inner.state_dict(*arguments, **keywords)

    def forward(self, query, key=None, value=None):
        key = query if key is None else key
        value = key if value is None else value
        rows = query.shape[1]
        hidden = torch.ones(rows, rows, dtype=torch.bool).triu(1) if self.causal else None
        return self.inner(query, key, value, need_weights=False, attn_mask=hidden)[0]


class WindowAttention(nn.Module):
    """torchvision's shifted_window_attention; table and biases begin next to zero."""

    def __init__(self, width, heads, window, shift):
        super().__init__()
        from torchvision.models.swin_transformer import ShiftedWindowAttention
        self.inner = ShiftedWindowAttention(width, window, shift, heads)
        for parameter in (self.inner.relative_position_bias_table, self.inner.qkv.bias, self.inner.proj.bias):
            nn.init.normal_(parameter)

    def state_dict(self, *arguments, **keywords):
        return self.inner.state_dict(*arguments, **keywords)

    def forward(self, x):
        return self.inner(x)


class Recurrent(nn.Module):
    """nn.LSTM, nn.GRU and nn.RNN without the states they give beside the sequence."""

    def __init__(self, inner, sequence):
        super().__init__()
        self.inner, self.sequence = inner, sequence

    def state_dict(self, *arguments, **keywords):
        return self.inner.state_dict(*arguments, **keywords)

    def forward(self, x):
        states, last = self.inner(x)
        if self.sequence:
            return states
        last = last[0] if isinstance(last, tuple) else last
        directions = 2 if self.inner.bidirectional else 1
        return last[-directions:].transpose(0, 1).flatten(1)


def attention():
    heads, causal, bias = between(1, 3), between(0, 1), between(0, 1)
    rows, others, width = between(1, 8), between(1, 8), heads * between(1, 5)
    shapes = [[rows, width], [others, width], [others, width]][:1 if causal else between(1, 3)]
    return Case("attention", f"{heads}, causal={word(causal)}, bias={word(bias)}", shapes,
                Attention(width, heads, bool(bias), causal))


def window_attention():
    """Windows that divide the image or do not, that cover an axis or both, shifted or not."""
    heads, window = between(1, 3), extents(2, 1, 4)
    shift = [between(0, places - 1) for places in window]
    shape = [*extents(2, 1, 9), heads * between(1, 4)]
    return Case("windowattention", f"{heads}, window={size(window)}, shift={size(shift)}", [shape],
                WindowAttention(shape[2], heads, window, shift))


def sequence(turn):
    rows, width, hidden = between(1, 7), between(1, 9), between(1, 9)
    layers, both, bias, whole = between(1, 3), between(0, 1), between(0, 1), between(0, 1)
    arguments = (f"{hidden}, layers={layers}, bidirectional={word(both)}, "
                 f"sequence={word(whole)}, bias={word(bias)}")
    common = {"bias": bool(bias), "batch_first": True, "bidirectional": bool(both)}
    for name, inner in ("lstm", nn.LSTM), ("gru", nn.GRU):
        yield Case(name, arguments, [[rows, width]],
                   Recurrent(inner(width, hidden, layers, **common), whole))
    function = ("tanh", "relu")[turn % 2]
    yield Case("rnn", f"{arguments}, activation={function}", [[rows, width]],
               Recurrent(nn.RNN(width, hidden, layers, nonlinearity=function, **common), whole))
    table = nn.Embedding(between(1, 12), width)
    yield Case("embedding", f"{table.num_embeddings}, {width}", [[rows]],
               Embedding(table), tokens=table.num_embeddings)
    yield Case("positional", "", [[rows, width]], Positional(rows, width))
    yield Case("prepend", "", [[rows, width]], Prepend(1, width))
    count = between(1, 3)
    yield Case("prepend", f"count={count}", [[rows, width]], Prepend(count, width))
    length = rows + between(0, 3)
    yield Case("positional", f"length={length}", [[rows, width]], Positional(length, width))
    yield attention()
    yield window_attention()
    yield window_attention()


class Embedding(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table = table

    def state_dict(self, *arguments, **keywords):
        return self.table.state_dict(*arguments, **keywords)

    def forward(self, x):
        return self.table(x.long())


def parts_as_channels(x, factor, spatial):
    """F.pixel_unshuffle for any number of spatial axes, with a channel for each part first (dcr)
    where PyTorch has the parts of each channel beside one another."""
    n, c, *extent = x.shape
    split = x.reshape(n, c, *(side for e in extent for side in (e // factor, factor)))
    parts = [3 + 2 * i for i in range(spatial)]
    places = [2 + 2 * i for i in range(spatial)]
    return split.permute(0, *parts, 1, *places).reshape(n, -1, *(e // factor for e in extent))


def channels_as_parts(x, factor, spatial):
    """The inverse of parts_as_channels."""
    n, c, *extent = x.shape
    split = x.reshape(n, *[factor] * spatial, c // factor ** spatial, *extent)
    order = [0, spatial + 1]
    for i in range(spatial):
        order += [spatial + 2 + i, 1 + i]
    return split.permute(order).reshape(n, -1, *(e * factor for e in extent))


def shuffles(turn):
    factor, spatial = between(1, 3), turn % 3 + 1
    small = image(spatial, 1, 3, factor ** spatial * between(1, 3))
    large = image(spatial, 1, 1, between(1, 3))[:1] + [factor * between(1, 3) for _ in range(spatial)]
    yield Case("depthtospace", f"{factor}, order=dcr", [small],
               lambda x: channels_as_parts(x, factor, spatial))
    yield Case("spacetodepth", f"{factor}, order=dcr", [large],
               lambda x: parts_as_channels(x, factor, spatial))
    if spatial == 2:
        yield Case("depthtospace", str(factor), [small], nn.PixelShuffle(factor))
        yield Case("spacetodepth", f"{factor}, order=crd", [large], nn.PixelUnshuffle(factor))
    groups = between(1, 4)
    shape = image(2, 1, 5, groups * between(1, 4))
    yield Case("channelshuffle", str(groups), [shape], nn.ChannelShuffle(groups))


def indices(turn):
    rank = turn % 3 + 1
    shape = image(rank, 4, 9)
    axis = between(1, rank)
    start, step = between(0, 2), between(1, 3)
    end = between(start + 1, shape[axis])
    along = [slice(None)] * (axis + 1)
    yield Case("slice", f"{start}, to={end}, axis={axis}, step={step}", [shape],
               lambda x: x[tuple(along + [slice(start, end, step)])])
    yield Case("slice", f"from=-{start + 1}, axis={axis}", [shape],
               lambda x: x[tuple(along + [slice(-(start + 1), None)])])
    first = between(1, shape[axis] - 1)
    sizes = (first, shape[axis] - first)
    yield Case("split", f"{sizes}, axis={axis}", [shape], lambda x: x.split(sizes, axis + 1))
    yield Case("split", "2", [[6, *shape[1:]]], lambda x: x.chunk(2, 1))
    kept, corner = extents(rank, 1, 3), extents(rank, 0, 1)
    inside = [slice(c, c + k) for c, k in zip(corner, kept)]
    places = f"({', '.join(map(str, corner))})" if rank > 1 else str(corner[0])
    yield Case("crop", f"{size(kept)}, at={places}", [shape],
               lambda x: x[(slice(None), slice(None), *inside)])
    middle = [slice((n - k) // 2, (n - k) // 2 + k) for n, k in zip(shape[1:], kept)]
    yield Case("crop", size(kept), [shape], lambda x: x[(slice(None), slice(None), *middle)])


def shapes(turn):
    rank = turn % 3 + 1
    shape = image(rank, 4, 9)
    yield Case("flatten", "", [shape], nn.Flatten())
    elements = torch.Size(shape).numel() // shape[1]
    yield Case("reshape", f"[{shape[1]}, {elements}]", [shape],
               lambda x: x.reshape(-1, shape[1], elements))
    yield Case("squeeze", "", [[1, *shape[1:]]], lambda x: x.squeeze(1))
    yield Case("squeeze", "axis=1", [[shape[0], 1, *shape[1:]]], lambda x: x.squeeze(2))
    order = RANDOM.sample(range(rank + 1), rank + 1)
    yield Case("transpose", f"({', '.join(map(str, order))})", [shape],
               lambda x: x.permute(0, *(i + 1 for i in order)))
    text, pairs = sides(extents(rank, 0, 3), extents(rank, 0, 3))
    yield Case("pad", f"{text}, value=0.3", [shape], lambda x: F.pad(x, pairs, value=single(0.3)))
    for mode in "reflect", "replicate", "circular":
        yield Case("pad", f"{text}, mode={mode}", [shape], lambda x, mode=mode: F.pad(x, pairs, mode))
    yield from resizes(rank, shape)


def resizes(rank, shape):
    factor = extents(rank, 1, 3)
    yield Case("upsample", size(factor), [shape],
               lambda x: F.interpolate(x, [n * f for n, f in zip(shape[1:], factor)], mode="nearest"))
    asked = extents(rank, 1, 20)
    linear = ("linear", "bilinear", "trilinear")[rank - 1]
    for corners in False, True:
        yield Case("resize", f"size={size(asked)}, corners={word(corners)}", [shape],
                   lambda x, corners=corners: F.interpolate(x, asked, mode=linear, align_corners=corners))
    yield Case("resize", f"{size(asked)}, mode=nearest", [shape],
               lambda x: F.interpolate(x, asked, mode="nearest"))
    scale = RANDOM.choice([0.5, 1.5, 2.25, 3.0])
    yield Case("resize", f"scale={scale}", [shape], lambda x: F.interpolate(
        x, scale_factor=scale, mode=linear, recompute_scale_factor=True))


def merges(turn):
    shape = [between(1, 9) for _ in range(turn % 4 + 1)]
    for name, function in (("add", torch.add), ("sub", torch.sub), ("mul", torch.mul),
                           ("div", torch.div), ("min", torch.minimum), ("max", torch.maximum)):
        yield Case(name, "", [shape, shape], function)
        number = between(1, 30) / 10
        bound = torch.tensor(single(number), dtype=torch.float64)
        yield Case(name, f"number={number}", [shape], lambda x, f=function, b=bound: f(x, b))
        if name in ("sub", "div"):
            yield Case(name, f"{number}, reversed=on", [shape], lambda x, f=function, b=bound: f(b, x))
    yield Case("add", "", [shape] * 3, lambda x, y, z: x + y + z)
    yield Case("max", "", [shape] * 3, lambda *all: torch.stack(all).amax(0))
    yield Case("min", "", [shape] * 4, lambda *all: torch.stack(all).amin(0))
    axis = between(0, len(shape) - 1)
    other = list(shape)
    other[axis] = between(1, 9)
    yield Case("concat", f"axis={axis}", [shape, other], lambda *all: torch.cat(all, axis + 1))
    place = between(0, len(shape))
    yield Case("stack", f"axis={place}", [shape] * between(2, 3),
               lambda *all: torch.stack(all, place + 1))
    yield from channels(shape)
    rows, inner, columns = extents(3, 1, 9)
    before = extents(turn % 3, 1, 3)
    yield Case("matmul", "", [[*before, rows, inner], [*before, inner, columns]], torch.matmul)
    yield Case("matmul", "transpose=on", [[*before, rows, inner], [*before, columns, inner]],
               lambda x, y: x @ y.transpose(-1, -2))


class Channels(nn.Module):
    """A trained number for each channel, which PyTorch leaves to the user."""

    def __init__(self, name, count, function):
        super().__init__()
        self.name, self.function = name, function
        self.register_parameter(name, nn.Parameter(torch.randn(count)))

    def forward(self, x):
        return self.function(x, getattr(self, self.name).view(-1, *[1] * (x.dim() - 2)))


def channels(shape):
    along = [-1] + [1] * (len(shape) - 1)
    for name, weight, function in ("scale", "weight", torch.mul), ("bias", "bias", torch.add):
        yield Case(name, "", [shape], Channels(weight, shape[0], function))
        yield Case(name, "", [shape, shape[:1]],
                   lambda x, y, f=function: f(x, y.reshape(len(y), *along)))


def reductions(turn):
    shape = [between(1, 9) for _ in range(turn % 4 + 1)]
    axes = RANDOM.sample(range(len(shape)), between(1, len(shape)))
    text = f"({', '.join(map(str, axes))})" if len(axes) > 1 else str(axes[0])
    dims = [axis + 1 for axis in axes]
    one = axes[0]
    for keep in False, True:
        def reshaped(y, samples, keep=keep):  # the result has one axis at least
            return y if keep or y.dim() > 1 else y.reshape(samples, 1)
        for name, function in ("mean", torch.mean), ("sum", torch.sum), ("amax", torch.amax):
            yield Case(name, f"axis={text}, keep={word(keep)}", [shape],
                       lambda x, f=function, k=keep, r=reshaped: r(f(x, dim=dims, keepdim=k), len(x)))
        yield Case("argmax", f"axis={one}, keep={word(keep)}", [shape],
                   lambda x, k=keep, r=reshaped: r(x.argmax(one + 1, k).double(), len(x)))
