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
    outputs: list  # the same

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
    chain: str = ""  # that the inputs go through; a layer with weights is called `op`
    batched: bool = False  # the first axis of the inputs is the batch
    weights: dict = field(default_factory=dict)
    inputs: int = 1  # so many of the node's inputs are tensors of the network
    body: str = ""  # statements on x0, x1, ..., in place of a chain
    arrays: list | None = None  # the inputs, in place of the node's
    results: list | None = None  # in place of the node's first


def decimal(number):
    return repr(float(numpy.float32(number)))


def size(numbers):
    return "x".join(str(int(n)) for n in numbers)


def tuple_of(numbers):
    numbers = [int(n) for n in numbers]
    return f"({', '.join(map(str, numbers))})" if len(numbers) > 1 else str(numbers[0])


NOTHING = Expression(body="return x0")


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
        if len(node.inputs) == 1:
            return NOTHING
        assert len(node.inputs) <= most
        return Expression(call, inputs=len(node.inputs))
    return translate


def average(node):
    expression = merge("add")(node)
    return Expression(f"{expression.chain} -> div({len(node.inputs)})", inputs=expression.inputs) \
        if expression.chain else expression


def power(node):
    if node.inputs[1].size > 1 or node.inputs[1] != 2:
        raise Inapplicable("other powers than 2")
    return Expression(body="return x0 * x0")


def clip(node):
    low, high = node.given(1), node.given(2)
    if low is None and high is None:
        return NOTHING
    if low is None:
        return Expression(f"min({decimal(high)})")
    if high is None:
        return Expression(f"max({decimal(low)})")
    if low > high:
        raise Inapplicable("limits that are crossed")
    return Expression(f"clip({decimal(low)}, {decimal(high)})")


def hard_sigmoid(node):
    """The layer has only alpha = 1/6, which no test has."""
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    return Expression(f"mul({decimal(alpha)}) -> add({decimal(beta)}) -> clip(0, 1)")


def celu(node):
    alpha = decimal(node.get("alpha", 1))
    return Expression(f"div({alpha}) -> elu -> mul({alpha})")


def shrink(node):
    limit, bias = node.get("lambd", 0.5), node.get("bias", 0)
    if bias not in (0, limit):
        raise Inapplicable("`bias`")
    return Expression(f"{'softshrink' if bias else 'hardshrink'}({decimal(limit)})")


def thresholded_relu(node):
    return Expression(f"relu -> hardshrink({decimal(node.get('alpha', 1))})")


def gelu(node):
    return Expression("gelu(approximate=on)" if node.get("approximate", b"none") == b"tanh" else "gelu")


def prelu(node):
    x, slope = node.inputs
    if slope.shape != x.shape[:1] + (1,) * (x.ndim - 1):
        raise Inapplicable("broadcasting")
    return Expression("op: prelu", weights={"weight": slope.reshape(-1)})


def lower_padding(node, kernel):
    """SAME_LOWER: the odd one before the input."""
    ones = [1] * len(kernel)
    totals = [max((-(-n // stride) - 1) * stride + (k - 1) * dilation + 1 - n, 0) for n, k, stride, dilation in
              zip(node.inputs[0].shape[2:], kernel, node.get("strides", ones), node.get("dilations", ones))]
    return tuple_of([total - total // 2 for total in totals] + [total // 2 for total in totals])


def padding(node, kernel):
    """The argument `pad` of a convolution or pooling."""
    automatic = node.get("auto_pad", b"NOTSET")
    if automatic == b"SAME_LOWER":
        return lower_padding(node, kernel)
    if automatic == b"SAME_UPPER":
        return "same"
    return tuple_of(node.get("pads", [0] * 2 * len(kernel)))


def window(node, kernel):
    ones = [1] * len(kernel)
    return (f"stride={size(node.get('strides', ones))}, pad={padding(node, kernel)}"), \
        f", dilation={size(node.get('dilations', ones))}"


def conv(node):
    weight, bias = node.inputs[1], node.given(2)
    stride, dilation = window(node, weight.shape[2:])
    weights = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return Expression(f"op: conv({weight.shape[0]}, {size(weight.shape[2:])}, {stride}{dilation}, "
                      f"groups={node.get('group', 1)}, bias={'off' if bias is None else 'on'})",
                      True, weights)


def conv_transpose(node):
    """ONNX's `output_shape` says the padding: what the result would have more is cut off, half of it
    before it, and what it lacks is put behind it."""
    x, weight = node.inputs[:2]
    kernel, groups = weight.shape[2:], node.get("group", 1)
    stride, dilation = window(node, kernel)
    ones = [1] * len(kernel)
    extra = node.get("output_padding", [0] * len(kernel))
    if "output_shape" in node.attributes:
        more = [(n - 1) * step + (k - 1) * wide + 1 - size for n, step, k, wide, size in
                zip(x.shape[2:], node.get("strides", ones), kernel, node.get("dilations", ones),
                    node.attributes["output_shape"])]
        if max(more) > 0:
            raise Inapplicable("`output_shape` that cuts")
        extra = [-n for n in more]
    return Expression(f"op: deconv({weight.shape[1] * groups}, {size(kernel)}, {stride}"
                      f"{dilation}, groups={groups}, bias=off, outputpad={size(extra)})",
                      True, {"weight": weight})


def pool(call):
    def translate(node):
        if len(node.outputs) > 1:
            raise Inapplicable("the places of the maxima")
        kernel = node.attributes["kernel_shape"]
        stride, dilation = window(node, kernel)
        if call == "lppool":
            if node.get("p", 2) not in (1, 2):
                raise Inapplicable("`p` other than 1 and 2")
            dilation += f", p={node.get('p', 2)}"
        if call == "avgpool":
            node.only(dilations=[1] * len(kernel))
            dilation = f", countpad={'on' if node.get('count_include_pad', 0) else 'off'}"
        ceil = ", ceil=on" if node.get("ceil_mode", 0) else ""
        return Expression(f"{call}({size(kernel)}, {stride}{dilation}{ceil})", True)
    return translate


def pooled_all(call):
    def translate(node):
        return Expression(f"{call} -> reshape({list(node.outputs[0].shape[1:])})", True)
    return translate


def batch_norm(node):
    if node.get("training_mode", 0):
        raise Inapplicable("training")
    names = "weight", "bias", "running_mean", "running_var"
    return Expression(f"op: batchnorm(eps={decimal(node.get('epsilon', 1e-5))})", True,
                      dict(zip(names, node.inputs[1:])))


def channel_norm(call):
    def translate(node):
        first = f"{node.get('num_groups', 1)}, " if call == "groupnorm" else ""
        return Expression(f"op: {call}({first}eps={decimal(node.get('epsilon', 1e-5))}, affine=on)", True,
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
        return Expression(f"op: {call}(axis={axes}, eps={eps}{bias})", weights=weights)
    return translate


def mean_variance(node):
    return Expression(f"layernorm(axis={tuple_of(node.get('axes', (0, 2, 3)))}, eps=0, affine=off)")


def lp_normalisation(node):
    """Of p = 2 the root of the mean square, times that of the number of elements; zeros stay."""
    node.only(p=2)
    axis = node.get("axis", -1)
    scale = decimal(node.inputs[0].shape[axis] ** -0.5)
    return Expression(f"rmsnorm(axis={axis}, eps=1e-30, affine=off) -> mul({scale})")


def lrn(node):
    if node.attributes["size"] % 2 == 0:
        raise Inapplicable("an even size, whose halves lie on other sides")
    numbers = ", ".join(f"{ours}={decimal(node.get(theirs, default))}" for ours, theirs, default in
                        (("alpha", "alpha", 1e-4), ("beta", "beta", 0.75), ("k", "bias", 1)))
    return Expression(f"lrn({node.attributes['size']}, {numbers})", True)


def gemm(node):
    """alpha A' B' + beta C where C is a vector for the columns: a dense layer of the rows of A."""
    b, c = node.inputs[1], node.given(2)
    weight = (b if node.get("transB", 0) else b.T) * numpy.float32(node.get("alpha", 1))
    weights = {"weight": numpy.ascontiguousarray(weight)}
    turn = "transpose((1, 0)) -> " if node.get("transA", 0) else ""
    if c is not None:
        if c.size not in (1, len(weight)) or (c.ndim == 2 and c.shape[0] != 1):
            raise Inapplicable("broadcasting")
        c = c * numpy.float32(node.get("beta", 1))
        weights["bias"] = numpy.broadcast_to(c.reshape(-1), len(weight)).copy()
    bias = ", bias=off" if c is None else ""
    return Expression(f"{turn}op: dense({len(weight)}, axis=-1{bias})", weights=weights)


def matmul(node):
    a, b = node.inputs
    if a.ndim < 2 or b.ndim < 2 or a.shape[:-2] != b.shape[:-2]:
        raise Inapplicable("broadcasting")
    return Expression("matmul", inputs=2)


def scores(node, queries, keys):
    """Of attention, before their softmax: `attn_mask` is added in the end."""
    scale = node.get("scale", queries.shape[-1] ** -0.5)
    text = f"(q, k) -> matmul(transpose=on) -> mul({decimal(scale)})"
    if node.get("softcap", 0):
        cap = decimal(node.get("softcap", 0))
        text += f" -> div({cap}) -> tanh -> mul({cap})"
    mask = node.given(3)
    if mask is not None:
        if mask.dtype != numpy.float32:
            raise Inapplicable("elements other than f32")
        if mask.shape != queries.shape[:-1] + keys.shape[-2:-1]:
            raise Inapplicable("broadcasting")
        text = f"({text}) + x3"
    return text


def attention(node):
    """Written out; heads are an axis, or come side by side and are made one."""
    node.only(is_causal=0, left_window_size=None, right_window_size=None)
    if any(node.given(i) is not None for i in (4, 5, 6)):
        raise Inapplicable("keys of earlier calls, or of other lengths")
    heads = node.get("q_num_heads", node.inputs[0].shape[1])
    if heads != node.get("kv_num_heads", node.inputs[1].shape[1]):
        raise Inapplicable("fewer heads of keys than of queries")
    split, arrays = "", node.inputs[:3]
    if arrays[0].ndim == 3:
        split = " -> transpose((1, 0, 2))"
        arrays = [x.reshape(*x.shape[:2], heads, -1) for x in arrays]
    parts = "".join(f"{name} = x{i}{f' -> reshape({list(x.shape[1:])}){split}' if split else ''}\n    "
                    for i, (name, x) in enumerate(zip("qkv", arrays)))
    if split:
        arrays = [x.swapaxes(1, 2) for x in arrays]
    joined = f"{split} -> reshape({list(node.outputs[0].shape[1:])})" if split else ""
    body = (f"{parts}p = ({scores(node, *arrays[:2])}) -> softmax(axis=-1)\n"
            f"    return (p, v) -> matmul{joined}")
    return Expression(batched=True, inputs=len(node.inputs), body=body)


# Which of ONNX's gates is each of PyTorch's
GATES = {"lstm": (0, 2, 3, 1), "gru": (1, 0, 2), "rnn": (0,)}


def recurrent_weights(call, node, times):
    """PyTorch's tensors of each direction; ONNX has both biases side by side."""
    weights = {}
    for direction, (w, r) in enumerate(zip(*node.inputs[1:3])):
        def ordered(x, gates=len(GATES[call])):
            return numpy.concatenate([numpy.split(x, gates)[gate] for gate in GATES[call]])
        tensors = {"weight_ih": ordered(w), "weight_hh": ordered(r)}
        if node.given(3) is not None:
            first, second = (ordered(x) for x in numpy.split(node.inputs[3][direction], 2))
            if call == "gru" and not node.get("linear_before_reset", 0):
                fresh = slice(2 * r.shape[1], None)  # its state is zeros, so only the biases matter
                first[fresh] += second[fresh]
                second[fresh] = 0
            tensors |= {"bias_ih": first, "bias_hh": second}
        weights |= {f"{name}_l0{'_reverse' * direction}": x for name, x in tensors.items()}
    return weights


def recurrent(call):
    """All states, the last ones, or both."""
    def translate(node):
        first = 0 if node.get("layout", 0) else 1
        x = node.inputs[0].swapaxes(0, first)
        times, hidden = x.shape[1], node.attributes["hidden_size"]
        node.only(clip=0, activations=None, input_forget=0)
        if node.get("direction", b"forward") == b"reverse":
            raise Inapplicable("only back in time")
        if node.given(7) is not None:
            raise Inapplicable("peepholes")
        if node.given(4) is not None and any(node.inputs[4] != times):
            raise Inapplicable("sequences of several lengths")
        if any(node.given(i) is not None and node.inputs[i].any() for i in (5, 6)):
            raise Inapplicable("a state to begin with")
        if call == "gru" and not node.get("linear_before_reset", 0) and times > 1:
            raise Inapplicable("`linear_before_reset` off")
        if len(node.outputs) > 2:
            raise Inapplicable("the last state of the cells")
        both = len(node.inputs[1]) > 1
        states, last = (*node.outputs, None)[:2]
        options = "" if node.given(3) is not None else ", bias=off"
        options += ", bidirectional=on" if both else ""
        if states is None:
            options += ", sequence=off"
        body = f"y = x0 -> op: {call}({hidden}{options})\n    return y"
        results = [last.swapaxes(0, first)] if last is not None else []
        if states is not None:
            results.insert(0, states if first == 0 else numpy.moveaxis(states, 2, 0))
        if len(results) == 2:
            assert not both
            body = body.replace("return y", f"return (y, y -> slice({times - 1}, {times}, axis=0) -> flatten)")
        width = hidden * (2 if both else 1)
        results = [result.reshape(len(x), *([times] if result.ndim == 4 else []), width) for result in results]
        return Expression(batched=True, weights=recurrent_weights(call, node, times), body=body,
                          arrays=[x], results=results)
    return translate


def gather(node):
    """Rows of a table."""
    table, places = node.inputs
    node.only(axis=0)
    if places.min() < 0:
        raise Inapplicable("places counted from the end")
    rows = table.reshape(len(table), -1)
    return Expression(f"op: embedding({len(rows)}, {rows.shape[1]}) -> reshape({list(node.outputs[0].shape)})",
                      weights={"weight": rows}, arrays=[places.astype(numpy.float32)])


def parts(node):
    axis = node.get("axis", 0)
    sizes = tuple_of(result.shape[axis] for result in node.outputs)
    names = ", ".join(f"y{i}" for i in range(len(node.outputs)))
    return Expression(body=f"({names}) = x0 -> split({sizes}, axis={axis})\n    return ({names})",
                      results=node.outputs)


def centred(node):
    """The middle, cut out."""
    x, result = node.inputs[0], node.outputs[0]
    calls = []
    for axis, (old, new) in enumerate(zip(x.shape, result.shape)):
        if new > old:
            raise Inapplicable("padding of channels")
        if new < old:
            calls.append(f"slice({(old - new) // 2}, {(old - new) // 2 + new}, axis={axis})")
    return Expression(" -> ".join(calls))


def upsample(node):
    return Expression(f"upsample({size(node.inputs[1][2:])})", True)


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
        return Expression(f"elu({decimal(node.attributes['alpha'])}) -> "
                          f"mul({decimal(node.attributes['gamma'])})")
    return Expression("selu")


def swish(node):
    node.only(alpha=1.0)
    return Expression("silu")


def swish_gated(node):
    gate = f"x0 * (x0 -> mul({decimal(node.get('alpha', 1))}) -> sigmoid)"
    return Expression(body=f"return {gate} * x1", inputs=2)


def dropout(node):
    if node.given(2) is not None and node.inputs[2]:
        raise Inapplicable("training")
    return Expression("dropout")


def place(sign):
    """Of equal ones the language takes the first."""
    def translate(node):
        node.only(select_last_index=0)
        keep = "on" if node.get("keepdims", 1) else "off"
        return Expression(f"{sign}argmax(axis={node.get('axis', 0)}, keep={keep})")
    return translate


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


def reduced(call, before="x0", after=""):
    def translate(node):
        axes = node.given(1)
        if axes is None:
            axes = node.get("axes", range(node.inputs[0].ndim))
        axes = list(axes)
        if not axes and node.get("noop_with_empty_axes", 0):
            if before != "x0":
                raise Inapplicable("no axes")
            return NOTHING
        axes = axes or range(node.inputs[0].ndim)
        keep = "on" if node.get("keepdims", 1) else "off"
        return Expression(body=f"return {before} -> {call}(axis={tuple_of(axes)}, keep={keep}){after}")
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
    "Dropout": dropout, "ArgMax": place(""), "ArgMin": place("neg -> "),
    "Pad": pad, "Resize": resize, "Selu": selu, "Swish": swish, "Slice": cut,
    "ReduceMean": reduced("mean"), "ReduceSum": reduced("sum"), "ReduceMax": reduced("amax"),
    "ReduceMin": reduced("amax", "x0 -> neg", " -> neg"), "ReduceL1": reduced("sum", "x0 -> abs"),
    "ReduceSumSquare": reduced("sum", "x0 * x0"), "ReduceL2": reduced("sum", "x0 * x0", " -> sqrt"),
    "LSTM": recurrent("lstm"), "GRU": recurrent("gru"), "RNN": recurrent("rnn"),
    "Split": parts, "Gather": gather, "Attention": attention, "CenterCropPad": centred,
    "Upsample": upsample, "LpPool": pool("lppool"), "LpNormalization": lp_normalisation,
    "MeanVarianceNormalization": mean_variance, "Mean": average, "Pow": power,
    "Identity": lambda node: NOTHING, "Reciprocal": lambda node: Expression(body="return 1 / x0"),
    "Celu": celu, "Shrink": shrink, "ThresholdedRelu": thresholded_relu, "SwiGLU": swish_gated,
}
