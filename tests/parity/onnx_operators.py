"""ONNX operators as calls of the language, for onnx_nodes.py.

A translation takes a Node and gives an Expression, or raises Inapplicable with the reason."""
from dataclasses import dataclass, field

import numpy


class Inapplicable(Exception):
    """The language cannot say this, and why."""


@dataclass
class Node:
    attributes: dict
    inputs: list  # arrays; None where an optional one is left out
    outputs: list

    def get(self, name, default):
        return self.attributes.get(name, default)

    def only(self, **defaults):
        """Refuses attributes that are not at the one value the language has."""
        for name, value in defaults.items():
            if self.get(name, value) != value:
                raise Inapplicable(f"`{name}`")

    def given(self, place):
        return self.inputs[place] if place < len(self.inputs) else None


@dataclass
class Expression:
    call: str
    batched: bool = False  # the first axis of the inputs is the batch
    weights: dict = field(default_factory=dict)
    inputs: int = 1  # so many of the node's inputs are tensors of the network


def decimal(number):
    return repr(float(numpy.float32(number)))


def size(numbers):
    return "x".join(str(int(n)) for n in numbers)


def tuple_of(numbers):
    numbers = [int(n) for n in numbers]
    return f"({', '.join(map(str, numbers))})" if len(numbers) > 1 else str(numbers[0])


def simple(call):
    return lambda node: Expression(call)


def with_number(call, attribute, default):
    return lambda node: Expression(f"{call}({decimal(node.get(attribute, default))})")


def along(call, default):
    return lambda node: Expression(f"{call}(axis={node.get('axis', default)})")


def merge(call, most=8):
    def translate(node):
        if len({x.shape for x in node.inputs}) > 1:
            raise Inapplicable("broadcasting")
        if not 2 <= len(node.inputs) <= most:
            raise Inapplicable("one input")
        return Expression(call, inputs=len(node.inputs))
    return translate


def clip(node):
    low, high = node.given(1), node.given(2)
    if low is None and high is None:
        raise Inapplicable("no limits: nothing is done")
    if low is None:
        return Expression(f"min({decimal(high)})")
    if high is None:
        return Expression(f"max({decimal(low)})")
    if low > high:
        raise Inapplicable("limits that are crossed")
    return Expression(f"clip({decimal(low)}, {decimal(high)})")


def hard_sigmoid(node):
    if abs(node.get("alpha", 0.2) - 1 / 6) > 1e-6 or node.get("beta", 0.5) != 0.5:
        raise Inapplicable("`alpha` of HardSigmoid other than 1/6")
    return Expression("hardsigmoid")


def gelu(node):
    return Expression("gelu(approximate=on)" if node.get("approximate", b"none") == b"tanh" else "gelu")


def prelu(node):
    x, slope = node.inputs
    if slope.shape != x.shape[:1] + (1,) * (x.ndim - 1):
        raise Inapplicable("broadcasting")
    return Expression("prelu", weights={"weight": slope.reshape(-1)})


def padding(node, rank):
    """The argument `pad` of a convolution or pooling."""
    automatic = node.get("auto_pad", b"NOTSET")
    if automatic == b"SAME_LOWER":
        raise Inapplicable("SAME_LOWER")
    if automatic == b"SAME_UPPER":
        return "same"
    return tuple_of(node.get("pads", [0] * 2 * rank))


def window(node, rank):
    return (f"stride={size(node.get('strides', [1] * rank))}, pad={padding(node, rank)}"), \
        f", dilation={size(node.get('dilations', [1] * rank))}"


def conv(node):
    x, weight, bias = node.inputs[0], node.inputs[1], node.given(2)
    stride, dilation = window(node, x.ndim - 2)
    weights = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return Expression(f"conv({weight.shape[0]}, {size(weight.shape[2:])}, {stride}{dilation}, "
                      f"groups={node.get('group', 1)}, bias={'off' if bias is None else 'on'})",
                      True, weights)


def conv_transpose(node):
    if "output_shape" in node.attributes:
        raise Inapplicable("`output_shape`")
    x, weight = node.inputs[:2]
    rank, groups = x.ndim - 2, node.get("group", 1)
    stride, dilation = window(node, rank)
    return Expression(f"deconv({weight.shape[1] * groups}, {size(weight.shape[2:])}, {stride}"
                      f"{dilation}, groups={groups}, bias=off, "
                      f"outputpad={size(node.get('output_padding', [0] * rank))})",
                      True, {"weight": weight})


def pool(call):
    def translate(node):
        if len(node.outputs) > 1:
            raise Inapplicable("the places of the maxima")
        rank = node.inputs[0].ndim - 2
        stride, dilation = window(node, rank)
        if call == "avgpool":
            node.only(dilations=[1] * rank)
            dilation = f", countpad={'on' if node.get('count_include_pad', 0) else 'off'}"
        ceil = ", ceil=on" if node.get("ceil_mode", 0) else ""
        return Expression(f"{call}({size(node.attributes['kernel_shape'])}, {stride}{dilation}{ceil})",
                          True)
    return translate


def pooled_all(call):
    def translate(node):
        return Expression(f"{call} -> reshape({list(node.outputs[0].shape[1:])})", True)
    return translate


def batch_norm(node):
    if node.get("training_mode", 0):
        raise Inapplicable("training")
    names = "weight", "bias", "running_mean", "running_var"
    return Expression(f"batchnorm(eps={decimal(node.get('epsilon', 1e-5))})", True,
                      dict(zip(names, node.inputs[1:])))


def channel_norm(call):
    def translate(node):
        first = f"{node.get('num_groups', 1)}, " if call == "groupnorm" else ""
        return Expression(f"{call}({first}eps={decimal(node.get('epsilon', 1e-5))}, affine=on)", True,
                          {"weight": node.inputs[1], "bias": node.inputs[2]})
    return translate


def layer_norm(call):
    def translate(node):
        rank = node.inputs[0].ndim
        axes = tuple_of(range(node.get("axis", -1) % rank, rank))
        weights = {"weight": node.inputs[1]}
        if node.given(2) is not None:
            weights["bias"] = node.inputs[2]
        bias = ", bias=off" if call == "layernorm" and "bias" not in weights else ""
        eps = decimal(node.get("epsilon", 1e-5))
        return Expression(f"{call}(axis={axes}, eps={eps}{bias})", weights=weights)
    return translate


def lrn(node):
    if node.attributes["size"] % 2 == 0:
        raise Inapplicable("an even size, whose halves lie on other sides")
    numbers = ", ".join(f"{ours}={decimal(node.get(theirs, default))}" for ours, theirs, default in
                        (("alpha", "alpha", 1e-4), ("beta", "beta", 0.75), ("k", "bias", 1)))
    return Expression(f"lrn({node.attributes['size']}, {numbers})", True)


def gemm(node):
    """alpha A' B' + beta C where C is a vector for the columns: a dense layer of the rows of A."""
    a, b, c = node.inputs[0], node.inputs[1], node.given(2)
    node.only(alpha=1.0, beta=1.0, transA=0)
    weight = b if node.get("transB", 0) else b.T
    weights = {"weight": numpy.ascontiguousarray(weight)}
    if c is not None:
        if c.size not in (1, len(weight)) or (c.ndim == 2 and c.shape[0] != 1):
            raise Inapplicable("broadcasting")
        weights["bias"] = numpy.broadcast_to(c.reshape(-1), len(weight)).copy()
    bias = ", bias=off" if c is None else ""
    return Expression(f"dense({len(weight)}, axis=-1{bias})", weights=weights)


def matmul(node):
    a, b = node.inputs
    if a.ndim < 2 or b.ndim < 2 or a.shape[:-2] != b.shape[:-2]:
        raise Inapplicable("broadcasting")
    return Expression("matmul", inputs=2)


def to_output(node):
    """The same elements in another shape."""
    return Expression(f"reshape({list(node.outputs[0].shape)})")


def transpose(node):
    rank = node.inputs[0].ndim
    return Expression(f"transpose({tuple_of(node.get('perm', range(rank)[::-1]))})")


def rearranged(call):
    def translate(node):
        order = node.get("mode", b"DCR").decode().lower()
        return Expression(f"{call}({node.attributes['blocksize']}, order={order})", True)
    return translate


def pad(node):
    """Sides of the spatial axes only: the language pads no channels."""
    mode = {b"constant": "constant", b"reflect": "reflect", b"edge": "replicate",
            b"wrap": "circular"}[node.get("mode", b"constant")]
    x, sides = node.inputs[:2]
    full = numpy.zeros((2, x.ndim), int)
    axes = node.given(3)
    full[:, range(x.ndim) if axes is None else axes] = numpy.reshape(sides, (2, -1))
    if full.min() < 0:
        raise Inapplicable("negative padding")
    if x.ndim < 3 or full[:, :2].any():
        raise Inapplicable("padding of channels")
    value = node.given(2)
    extra = f", value={decimal(value)}" if mode == "constant" and value is not None else ""
    return Expression(f"pad({tuple_of(full[:, 2:].reshape(-1))}, mode={mode}{extra})", True)


def resize(node):
    """Linear at half pixels or corners, nearest at floor(i n / m): of exact fractions."""
    x = node.inputs[0]
    node.only(antialias=0, keep_aspect_ratio_policy=b"stretch", exclude_outside=0)
    mode = node.get("mode", b"nearest").decode()
    places = node.get("coordinate_transformation_mode", b"half_pixel").decode()
    known = {("linear", "half_pixel"): "bilinear", ("linear", "align_corners"): "bilinear, corners=on",
             ("nearest", "asymmetric"): "nearest"}
    if (mode, places) not in known or mode == "nearest" and node.get("nearest_mode", b"") != b"floor":
        raise Inapplicable(f"{mode} at other places" if mode != "cubic" else "cubic")
    scales = node.given(2)
    sizes = node.outputs[0].shape
    if sizes[:2] != x.shape[:2]:
        raise Inapplicable("resized channels")
    if scales is not None and any(scales * x.shape != sizes):
        raise Inapplicable("a scale that gives no whole size")
    return Expression(f"resize({size(sizes[2:])}, mode={known[mode, places]})", True)


def selu(node):
    if "alpha" in node.attributes or "gamma" in node.attributes:
        raise Inapplicable("`alpha` and `gamma` of Selu other than its own")
    return Expression("selu")


def swish(node):
    node.only(alpha=1.0)
    return Expression("silu")


def dropout(node):
    if node.given(2) is not None and node.inputs[2]:
        raise Inapplicable("training")
    return Expression("dropout")


def argmax(node):
    """Of equal ones the language takes the first."""
    node.only(select_last_index=0)
    keep = "on" if node.get("keepdims", 1) else "off"
    return Expression(f"argmax(axis={node.get('axis', 0)}, keep={keep})")


def cut(node):
    """A slice of one axis, forwards."""
    x, starts, ends = node.inputs[:3]
    axes = range(len(starts)) if node.given(3) is None else node.inputs[3]
    steps = [1] * len(starts) if node.given(4) is None else node.inputs[4]
    calls = []
    for start, end, axis, step in zip(starts, ends, axes, steps):
        if step < 0:
            raise Inapplicable("a slice backwards")
        first, last, _ = slice(int(start), int(end)).indices(x.shape[axis])
        calls.append(f"slice({first}, {last}, axis={axis}, step={step})")
    return Expression(" -> ".join(calls))


def concat(node):
    return Expression(f"concat(axis={node.attributes['axis']})", inputs=len(node.inputs))


def reduced(call):
    def translate(node):
        axes = node.given(1)
        if axes is None:
            axes = node.get("axes", range(node.inputs[0].ndim))
        axes = list(axes)
        if not axes and node.get("noop_with_empty_axes", 0):
            raise Inapplicable("nothing is done")
        axes = axes or range(node.inputs[0].ndim)
        keep = "on" if node.get("keepdims", 1) else "off"
        return Expression(f"{call}(axis={tuple_of(axes)}, keep={keep})")
    return translate


OPERATORS = {
    "Abs": simple("abs"), "Neg": simple("neg"), "Exp": simple("exp"), "Sqrt": simple("sqrt"),
    "Relu": simple("relu"), "Sigmoid": simple("sigmoid"), "Tanh": simple("tanh"),
    "Softplus": simple("softplus"), "Softsign": simple("softsign"), "Mish": simple("mish"),
    "HardSwish": simple("hardswish"), "HardSigmoid": hard_sigmoid, "Gelu": gelu, "PRelu": prelu,
    "LeakyRelu": with_number("leakyrelu", "alpha", 0.01), "Elu": with_number("elu", "alpha", 1),
    "Clip": clip, "Softmax": along("softmax", -1), "LogSoftmax": along("logsoftmax", -1),
    "Add": merge("add"), "Sum": merge("add"), "Sub": merge("sub", 2), "Mul": merge("mul", 2),
    "Div": merge("div", 2), "Min": merge("min"), "Max": merge("max"),
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": pool("maxpool"),
    "AveragePool": pool("avgpool"), "GlobalAveragePool": pooled_all("globalavgpool"),
    "GlobalMaxPool": pooled_all("globalmaxpool"), "BatchNormalization": batch_norm,
    "InstanceNormalization": channel_norm("instancenorm"),
    "GroupNormalization": channel_norm("groupnorm"), "LRN": lrn,
    "LayerNormalization": layer_norm("layernorm"), "RMSNormalization": layer_norm("rmsnorm"),
    "Gemm": gemm, "MatMul": matmul, "Flatten": to_output, "Reshape": to_output,
    "Squeeze": to_output, "Unsqueeze": to_output, "Transpose": transpose, "Concat": concat,
    "DepthToSpace": rearranged("depthtospace"), "SpaceToDepth": rearranged("spacetodepth"),
    "Dropout": dropout, "ArgMax": argmax,
    "Pad": pad, "Resize": resize, "Selu": selu, "Swish": swish, "Slice": cut,
    "ReduceMean": reduced("mean"), "ReduceSum": reduced("sum"), "ReduceMax": reduced("amax"),
}

# What the language has and is not translated here.
UNTRANSLATED = {
    "GRU": "recurrent: gates in another order, directions as an axis; tests/parity/layers.py has them",
    "Split": "several results; tests/parity/layers.py has them",
    "Upsample": "no longer in ONNX; Resize took its place",
}
UNTRANSLATED |= {"LSTM": UNTRANSLATED["GRU"], "RNN": UNTRANSLATED["GRU"]}
