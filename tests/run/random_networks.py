#!/usr/bin/env python3
"""Random valid networks: random_networks.py SEED COUNT > FILE.net

Shapes are followed here by a few lines of their own, so that what is written is always valid. Sizes
are drawn small and around the vector widths."""
import random
import sys

CHANNELS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33]
ACTIVATIONS = ["normalize(0.5, 2)", "relu", "relu6", "sigmoid", "tanh", "leakyrelu(0.1)", "dropout", "prelu",
               "prelu(shared=on)", "elu", "selu", "gelu", "gelu(approximate=on)", "silu", "mish",
               "softplus", "softsign", "hardsigmoid", "hardswish", "hardtanh", "clip(-0.5, 2)", "abs",
               "scale", "bias", "neg", "add(0.5)", "sub(1, reversed=on)", "mul(-0.7)", "div(3)",
               "max(-0.3)", "min(1.5)"]
SUMS = ["{0} + {1}", "{1} - {0}", "{0} - {1}", "min({0}, {1})", "max({1}, {0})", "{0} * tanh({1})",
        "{1} / (1 + abs({0}))"]


def window(rng, shape, most):
    """kernel, stride, pad texts and the spatial result of a random window that fits `shape`."""
    kernel, stride, pad, result = [], [], [], []
    for size in shape[1:]:
        k = rng.randint(1, min(size, most))
        s = rng.randint(1, 3)
        p = rng.randint(0, (k - 1) // 2)
        kernel.append(k), stride.append(s), pad.append(p)
        result.append((size + 2 * p - k) // s + 1)
    join = "x".join
    return (join(map(str, kernel)), join(map(str, stride)), join(map(str, pad)), result)


def some_axes(rng, shape):
    """An axis or several, as an argument is written."""
    axes = rng.sample(range(len(shape)), rng.randint(1, len(shape)))
    return str(axes[0]) if len(axes) == 1 else "(" + ", ".join(map(str, axes)) + ")"


def normalisation(rng, shape):
    """Large values of eps keep what batch norms and sums make of it within useful bounds."""
    groups = rng.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
    kinds = [f"layernorm(axis={some_axes(rng, shape)}, eps=0.1, affine={rng.choice(['on', 'off'])})",
             f"rmsnorm(axis={some_axes(rng, shape)}, eps=0.1)", f"groupnorm({groups}, eps=0.1)"]
    return rng.choice(kinds if len(shape) == 1 else kinds + ["instancenorm(eps=0.1)"])


def reduction(rng, shape):
    """Along all spatial axes, or kept."""
    op = rng.choice(["mean", "sum", "amax", "globalmaxpool"])
    if op == "globalmaxpool":
        return op, shape[:1]
    if rng.choice([True, False]):
        axes = ", ".join(map(str, range(1, len(shape))))
        return f"{op}(axis=({axes}))", shape[:1]
    axis = rng.randrange(len(shape))
    return f"{op}(axis={axis}, keep=on)", shape[:axis] + [1] + shape[axis + 1:]


def rearranged(rng, shape):
    """A random step that moves elements of an image: its text and the shape after it."""
    sizes = shape[1:]
    kind = rng.choice(["transpose", "shuffle", "pad", "crop", "slice", "split", "upsample", "resize"])
    join = "x".join
    if kind == "transpose":
        order = rng.sample(range(len(shape)), len(shape))
        return f"transpose({tuple(order)})", [shape[i] for i in order]
    if kind == "shuffle":
        return f"channelshuffle({rng.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])})", shape
    if kind == "pad":
        most = [rng.randint(0, min(2, n - 1)) for n in sizes]
        mode = rng.choice(["constant", "reflect", "replicate", "circular"])
        return f"pad({join(map(str, most))}, mode={mode})", [shape[0]] + [n + 2 * p for n, p in zip(sizes, most)]
    if kind == "crop":
        sizes = [rng.randint(1, n) for n in sizes]
        return f"crop({join(map(str, sizes))})", [shape[0]] + sizes
    if kind in ("slice", "split"):
        axis = rng.randrange(len(shape))
        at = rng.randrange(shape[axis])
        if kind == "slice" or at == 0:
            step = rng.randint(1, 3)
            count = (shape[axis] - at + step - 1) // step
            return f"slice({at}, step={step}, axis={axis})", shape[:axis] + [count] + shape[axis + 1:]
        return f"split(({at}, {shape[axis] - at}), axis={axis}) -> concat(axis={axis})", shape
    factor = rng.randint(1, 2) if max(sizes) < 12 else 1
    if kind == "upsample":
        return f"upsample({factor})", [shape[0]] + [n * factor for n in sizes]
    sizes = [rng.randint(1, 14) for _ in sizes]
    mode = rng.choice(["", ", mode=nearest", ", corners=on"])
    return f"resize({join(map(str, sizes))}{mode})", [shape[0]] + sizes


def enlarging(rng, shape):
    """The same of a transposed convolution."""
    kernel, stride, pad, result = [], [], [], []
    for size in shape[1:]:
        k = rng.randint(1, 4)
        s = rng.randint(1, 2)
        p = rng.randint(0, (k - 1) // 2)
        kernel.append(k), stride.append(s), pad.append(p)
        result.append((size - 1) * s - 2 * p + k)
    join = "x".join
    return (join(map(str, kernel)), join(map(str, stride)), join(map(str, pad)), result)


def step(rng, shape):
    """A random step from `shape`: its text and the shape after it."""
    if len(shape) == 1:
        kind = rng.choice(["dense", "dense", "activation", "batchnorm", "softmax", "norm"])
        if kind == "dense":
            units = rng.choice(CHANNELS)
            return f"dense({units}, bias={rng.choice(['on', 'off'])})", [units]
        if kind == "norm":
            return normalisation(rng, shape), shape
        return (rng.choice(ACTIVATIONS) if kind == "activation" else kind), shape
    kind = rng.choice(["conv"] * 4 + ["deconv", "depthwise", "pool", "pool", "activation", "activation",
                                      "batchnorm", "residual", "branch", "gate", "flatten", "gap", "reshape",
                                      "norm", "reduce", "rearrange", "rearrange"])
    channels = shape[0]
    if kind == "conv":
        k, s, p, rest = window(rng, shape, 5)
        groups = rng.choice([g for g in range(1, channels + 1) if channels % g == 0])
        filters = groups * rng.choice([f for f in CHANNELS if f * groups <= 64] or [1])
        bias = rng.choice(["on", "off"])
        return f"conv({filters}, {k}, stride={s}, pad={p}, groups={groups}, bias={bias})", [filters] + rest
    if kind == "deconv":
        if prod(shape) > 4096: # it makes everything larger
            return "relu", shape
        k, s, p, rest = enlarging(rng, shape)
        groups = rng.choice([g for g in range(1, channels + 1) if channels % g == 0])
        filters = groups * rng.choice([f for f in CHANNELS if f * groups <= 32] or [1])
        return f"deconv({filters}, {k}, stride={s}, pad={p}, groups={groups})", [filters] + rest
    if kind == "depthwise":
        k, s, p, rest = window(rng, shape, 5)
        multiplier = rng.choice([1, 1, 1, 2, 3])
        return (f"depthwise({k}, stride={s}, pad={p}, multiplier={multiplier})",
                [channels * multiplier] + rest)
    if kind == "pool":
        k, s, p, rest = window(rng, shape, 3)
        extra = rng.choice(["", "", ", scale=on", ", bias=on"])
        return f"{rng.choice(['maxpool', 'avgpool'])}({k}, stride={s}, pad={p}{extra})", [channels] + rest
    if kind == "norm":
        return normalisation(rng, shape), shape
    if kind == "reduce":
        return reduction(rng, shape)
    if kind == "rearrange":
        return rearranged(rng, shape)
    if kind == "flatten":
        return ("flatten", [prod(shape)]) if prod(shape) <= 4096 else ("relu", shape)
    if kind == "gap":
        return "globalavgpool", [channels]
    if kind == "reshape":
        return f"reshape([{channels * shape[1]}, {', '.join(map(str, shape[2:])) or 1}])", \
               [channels * shape[1]] + (shape[2:] or [1])
    return (rng.choice(ACTIVATIONS) if kind == "activation" else kind), shape


def prod(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


def same_size(shape, filters):
    return f"conv({filters}, {'x'.join(['3'] * (len(shape) - 1))}, pad=1)"


def network(rng, name):
    axes = rng.choice([0, 1, 2, 2, 2, 3])
    shape = [rng.choice(CHANNELS)] + [rng.randint(1, 18 if axes < 3 else 7) for _ in range(axes)]
    element = rng.choice(["", "", "u8"])
    lines = [f"network {name}(x: {element}{shape}) {{"]
    value = "(x / 64)" if element else "x"
    for i in range(rng.randint(1, 8)):
        text, after = step(rng, shape)
        if text == "residual":
            branch = f"({value} -> {same_size(shape, shape[0])} -> batchnorm)"
            text = f"({rng.choice(SUMS).format(branch, value)}) -> {rng.choice(ACTIVATIONS)}"
        elif text == "gate":
            kept = rng.choice([value, f"({value} -> {same_size(shape, shape[0])})"])
            gate = f"({value} -> globalavgpool -> dense({shape[0]}) -> hardsigmoid)"
            text = f"{rng.choice(['scale', 'scale', 'bias'])}({kept}, {gate})"
        elif text == "branch":
            filters = rng.choice(CHANNELS)
            text = f"({value}, {value} -> {same_size(shape, filters)}) -> concat"
            after = [shape[0] + filters] + shape[1:]
        else:
            text = f"{value} -> {text}"
        value, shape = f"v{i}", after
        lines.append(f"    {value} = {text}")
    check = "[" + ", ".join(map(str, shape)) + "]"
    lines += [f"    return {value} -> {check}", "}"]
    return "\n".join(lines)


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    for i in range(count):
        print(network(random.Random(f"{seed}/{i}"), f"random_{seed}_{i}"))


main()
