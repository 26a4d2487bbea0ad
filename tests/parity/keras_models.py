#!/usr/bin/env python3
"""`order=keras` beside Keras: keras_models.py WORK-FOLDER [NAME...]

Small models of every layer whose weights can be read in Keras's order. Each is saved under Keras's
own names and orders and read by the same network written for netc, channels first. The numbers of
parameters must be equal, and compiled code and reference be what Keras computes in float64."""
import json
import os
import sys
from dataclasses import dataclass

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy
from keras import layers as of
from keras.src.backend.common import dtypes
from safetensors.numpy import save_file

from frameworks import COMPILED_LIMIT, REFERENCE_LIMIT, check_all, distance, netc

keras.config.set_floatx("float64")
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else only with TensorFlow's backend


@dataclass
class Case:
    shape: tuple  # of the input, as Keras has it
    model: object  # a list of Keras layers, or a function of the input
    network: str  # what is returned, or whole statements
    sequence: str = ""  # "input", "result", "both" are [steps, features] here, too
    vocabulary: int = 0  # of tokens, which the input then is


def residual(x):
    y = of.Conv2D(6, 3, padding="same", name="c1")(x)
    z = of.Conv2D(6, 1, name="c2")(x)
    return of.Dense(4, name="fc")(of.Flatten()(of.PReLU(shared_axes=[1, 2], name="p")(of.Add()([y, z]))))


def inception(x):
    parts = [of.Conv2D(3, 1, name="c1")(x), of.Conv2D(4, 3, padding="same", name="c2")(x),
             of.AveragePooling2D(3, strides=1, padding="same")(x)]
    return of.Dense(5, name="fc")(of.Flatten()(of.Concatenate()(parts)))


def squeeze_and_excite(x):
    y = of.Conv2D(8, 3, strides=2, padding="same", name="c")(x)
    gate = of.Dense(2, activation="relu", name="down")(of.GlobalAveragePooling2D()(y))
    gate = of.Reshape((1, 1, 8))(of.Dense(8, activation="sigmoid", name="up")(gate))
    return of.Multiply()([y, gate])


def nested(x):
    stem = keras.Sequential([of.Conv2D(4, 3, name="conv"), of.BatchNormalization(name="bn")], name="stem")
    head = keras.Sequential([of.Flatten(), of.Dense(3, name="fc")], name="head")
    return keras.Sequential([keras.Sequential([head], name="inner")], name="outer")(stem(x))


CASES = {
    # convolutions
    "conv1d": Case((11, 3), [of.Conv1D(4, 3, name="a"), of.Conv1D(5, 2, dilation_rate=2, name="b")],
                   "x -> a: conv(4, 3) -> b: conv(5, 2, dilation=2)"),
    "conv1d_causal": Case((11, 3), [of.Conv1D(4, 3, dilation_rate=2, padding="causal", name="a")],
                          "x -> a: conv(4, 3, dilation=2, pad=(4, 0))"),
    "conv1d_same": Case((12, 3), [of.Conv1D(4, 3, 2, "same", name="a"), of.Conv1D(5, 4, 1, "same", name="b")],
                        "x -> a: conv(4, 3, stride=2, pad=same) -> b: conv(5, 4, pad=same)"),
    "conv2d": Case((9, 8, 3), [of.Conv2D(4, (3, 2), name="a"),
                               of.Conv2D(6, 3, dilation_rate=(2, 1), use_bias=False, name="b")],
                   "x -> a: conv(4, 3x2) -> b: conv(6, 3x3, dilation=2x1, bias=off)"),
    "conv2d_same": Case((10, 8, 3), [of.Conv2D(4, 3, 2, "same", name="a"), of.Conv2D(5, (2, 4), 1, "same", name="b"),
                                     of.Conv2D(6, 5, (2, 1), "same", name="c")],
                        "x -> a: conv(4, 3x3, stride=2, pad=same) -> b: conv(5, 2x4, pad=same)\n"
                        "        -> c: conv(6, 5x5, stride=2x1, pad=same)"),
    "conv2d_groups": Case((8, 7, 4), [of.Conv2D(6, 3, groups=2, name="a"), of.Conv2D(12, 3, groups=6, name="b")],
                          "x -> a: conv(6, 3x3, groups=2) -> b: conv(12, 3x3, groups=6)"),
    "conv3d": Case((6, 7, 8, 2), [of.Conv3D(3, (2, 3, 3), name="a"), of.Conv3D(4, 2, 2, "same", name="b")],
                   "x -> a: conv(3, 2x3x3) -> b: conv(4, 2x2x2, stride=2, pad=same)"),
    "depthwise": Case((10, 9, 3), [of.DepthwiseConv2D(3, depth_multiplier=2, name="a"),
                                   of.DepthwiseConv2D((2, 4), padding="same", use_bias=False, name="b"),
                                   of.DepthwiseConv2D(3, 2, "same", name="c")],
                      "x -> a: depthwise(3x3, multiplier=2) -> b: depthwise(2x4, pad=same, bias=off)\n"
                      "        -> c: depthwise(3x3, stride=2, pad=same)"),
    "depthwise1d": Case((10, 3), [of.DepthwiseConv1D(3, 2, "same", depth_multiplier=2, name="a")],
                        "x -> a: depthwise(3, stride=2, pad=same, multiplier=2)"),
    "depthwise_one": Case((7, 7, 1), [of.DepthwiseConv2D(3, depth_multiplier=3, name="a")],
                          "x -> a: depthwise(3x3, multiplier=3)"),
    "separable": Case((10, 9, 3), [of.SeparableConv2D(5, 3, name="a"),
                                   of.SeparableConv2D(4, (2, 3), 1, "same", depth_multiplier=2, name="b"),
                                   of.SeparableConv2D(6, 3, 2, "same", use_bias=False, name="c")],
                      "x -> a: separable(5, 3x3) -> b: separable(4, 2x3, pad=same, multiplier=2)\n"
                      "        -> c: separable(6, 3x3, stride=2, pad=same, bias=off)"),
    "separable1d": Case((12, 2), [of.SeparableConv1D(5, 3, 2, "same", depth_multiplier=3, name="a")],
                        "x -> a: separable(5, 3, stride=2, pad=same, multiplier=3)"),
    "separable_few": Case((6, 6, 1), [of.SeparableConv2D(1, 3, name="a"), of.SeparableConv2D(2, 3, name="b")],
                          "x -> a: separable(1, 3x3) -> b: separable(2, 3x3)"),
    "deconv1d": Case((6, 3), [of.Conv1DTranspose(4, 3, 2, name="a"), of.Conv1DTranspose(5, 4, 2, "same", name="b")],
                     "x -> a: deconv(4, 3, stride=2) -> b: deconv(5, 4, stride=2, pad=same)"),
    "deconv": Case((5, 4, 3), [of.Conv2DTranspose(4, (3, 2), name="a"), of.Conv2DTranspose(5, 3, 2, "same", name="b"),
                               of.Conv2DTranspose(2, 2, 2, use_bias=False, name="c")],
                   "x -> a: deconv(4, 3x2) -> b: deconv(5, 3x3, stride=2, pad=same)\n"
                   "        -> c: deconv(2, 2x2, stride=2, bias=off)"),
    "deconv_one": Case((5, 4, 3), [of.Conv2DTranspose(1, 3, 2, "same", name="a")],
                       "x -> a: deconv(1, 3x3, stride=2, pad=same)"),
    "deconv_same": Case((5, 6, 2), [of.Conv2DTranspose(3, 4, 2, "same", name="a"),
                                    of.Conv2DTranspose(3, 5, 3, "same", name="b")],
                        "x -> a: deconv(3, 4x4, stride=2, pad=same) -> b: deconv(3, 5x5, stride=3, pad=same)"),
    "deconv3d": Case((3, 4, 3, 2), [of.Conv3DTranspose(3, 2, 2, name="a"), of.Conv3DTranspose(2, 3, 2, "same", name="b")],
                     "x -> a: deconv(3, 2x2x2, stride=2) -> b: deconv(2, 3x3x3, stride=2, pad=same)"),
    # what is flattened
    "flatten": Case((6, 8, 3), [of.Flatten(), of.Dense(4, name="a"), of.Dense(3, name="b")],
                    "x -> flatten -> a: dense(4) -> b: dense(3)"),
    "flatten_volume": Case((4, 3, 5, 2), [of.MaxPooling3D(2, padding="same"), of.Flatten(), of.Dense(4, name="a")],
                           "x -> maxpool(2x2x2, pad=same) -> flatten -> a: dense(4)"),
    "flatten_line": Case((9, 3), [of.Conv1D(4, 2, name="a"), of.Flatten(), of.Dense(4, name="b")],
                         "x -> a: conv(4, 2) -> flatten -> b: dense(4)"),
    "flatten_vector": Case((4, 5, 3), [of.Flatten(), of.BatchNormalization(name="a"), of.PReLU(name="b"),
                                       of.Dropout(0.5), of.Dense(4, name="c")],
                           "x -> flatten -> a: batchnorm(eps=0.001) -> b: prelu -> dropout(0.5)\n"
                           "        -> c: dense(4)"),
    # normalisation
    "batchnorm": Case((5, 4, 3), [of.BatchNormalization(name="a"), of.ReLU(),
                                  of.BatchNormalization(epsilon=1e-5, center=True, name="b")],
                      "x -> a: batchnorm(eps=0.001) -> relu -> b: batchnorm"),
    "batchnorm_folded": Case((6, 6, 3), [of.Conv2D(8, 3, use_bias=False, name="a"), of.BatchNormalization(name="b"),
                                         of.Conv2DTranspose(4, 3, 2, name="c"), of.BatchNormalization(name="d"),
                                         of.SeparableConv2D(5, 3, name="e"), of.BatchNormalization(name="f")],
                             "x -> a: conv(8, 3x3, bias=off) -> b: batchnorm(eps=0.001)\n"
                             "        -> c: deconv(4, 3x3, stride=2) -> d: batchnorm(eps=0.001)\n"
                             "        -> e: separable(5, 3x3) -> f: batchnorm(eps=0.001)"),
    "layernorm": Case((5, 4, 3), [of.LayerNormalization(name="a")], "x -> a: layernorm(axis=c, eps=0.001)"),
    "layernorm_rows": Case((5, 6), [of.LayerNormalization(name="a"), of.RMSNormalization(name="b"),
                                    of.Dense(4, name="c")],
                           "x -> a: layernorm(eps=0.001) -> b: rmsnorm(eps=1e-6) -> c: dense(4, axis=-1)",
                           sequence="both"),
    "groupnorm": Case((5, 4, 6), [of.GroupNormalization(3, name="a"), of.GroupNormalization(-1, name="b")],
                      "x -> a: groupnorm(3, eps=0.001) -> b: groupnorm(6, eps=0.001)"),
    # pooling and shapes
    "pooling": Case((10, 9, 3), [of.MaxPooling2D(3, 2, "same"), of.AveragePooling2D(2, 1, "same"),
                                 of.AveragePooling2D((3, 2), 1), of.MaxPooling2D(2, padding="same"), of.Flatten(),
                                 of.Dense(3, name="a")],
                     "x -> maxpool(3x3, stride=2, pad=same) -> avgpool(2x2, stride=1, pad=same)\n"
                     "        -> avgpool(3x2, stride=1) -> maxpool(2x2, pad=same) -> flatten -> a: dense(3)"),
    # PyTorch's backend of Keras repeats the edge where padding is odd, TensorFlow's does not count it
    "pooling_average": Case((9, 7, 3), [of.AveragePooling2D(3, 2, "same"), of.AveragePooling2D(3, 1, "same")],
                            "x -> avgpool(3x3, stride=2, pad=same) -> avgpool(3x3, stride=1, pad=same)"),
    "pooling1d": Case((10, 3), [of.MaxPooling1D(3, 2, "same"), of.AveragePooling1D(2), of.Conv1D(4, 1, name="a")],
                      "x -> maxpool(3, stride=2, pad=same) -> avgpool(2) -> a: conv(4, 1)"),
    "global": Case((6, 5, 3), [of.Conv2D(4, 3, name="a"), of.GlobalMaxPooling2D(), of.Dense(3, name="b")],
                   "x -> a: conv(4, 3x3) -> globalmaxpool -> b: dense(3)"),
    "sides": Case((6, 5, 3), [of.ZeroPadding2D(((1, 2), (3, 0))), of.Conv2D(4, 3, name="a"), of.UpSampling2D(2),
                              of.Cropping2D(((1, 0), (2, 1))), of.Flatten(), of.Dense(3, name="b")],
                  "x -> pad((1, 3, 2, 0)) -> a: conv(4, 3x3) -> upsample(2)\n"
                  "        -> slice(1, 14, axis=h) -> slice(2, 11, axis=w) -> flatten -> b: dense(3)"),
    # activations that have a number of their own or a default
    "activations": Case((5, 4, 3), [of.Conv2D(4, 1, activation="gelu", name="a"), of.LeakyReLU(),
                                    of.Conv2D(4, 1, activation="hard_sigmoid", name="b"), of.ELU(),
                                    of.Conv2D(4, 1, activation="selu", name="c"), of.Activation("silu"),
                                    of.Conv2D(4, 1, activation="mish", name="d"), of.Activation("softplus"),
                                    of.Conv2D(4, 1, activation="hard_silu", name="e"), of.Softmax()],
                        "x -> a: conv(4, 1x1) -> gelu -> leakyrelu(0.3)\n"
                        "        -> b: conv(4, 1x1) -> hardsigmoid -> elu\n"
                        "        -> c: conv(4, 1x1) -> selu -> silu\n"
                        "        -> d: conv(4, 1x1) -> mish -> softplus\n"
                        "        -> e: conv(4, 1x1) -> hardswish -> softmax"),
    "prelu": Case((5, 4, 3), [of.PReLU(shared_axes=[1, 2], name="a"), of.PReLU(shared_axes=[1, 2, 3], name="b")],
                  "x -> a: prelu -> b: prelu(shared=on)"),
    # sequences
    "embedding": Case((7,), [of.Embedding(20, 5, name="a"), of.Flatten(), of.Dense(3, name="b")],
                      "x -> a: embedding(20, 5) -> flatten -> b: dense(3)", vocabulary=20),
    "lstm": Case((7, 3), [of.LSTM(5, return_sequences=True, name="a"), of.LSTM(4, name="b"), of.Dense(2, name="c")],
                 "x -> a: lstm(5) -> b: lstm(4, sequence=off) -> c: dense(2)", sequence="input"),
    "lstm_unbiased": Case((7, 3), [of.LSTM(5, return_sequences=True, use_bias=False, name="a")],
                          "x -> a: lstm(5, bias=off)", sequence="both"),
    "gru": Case((7, 3), [of.GRU(5, return_sequences=True, name="a"), of.GRU(4, name="b")],
                "x -> a: gru(5) -> b: gru(4, sequence=off)", sequence="input"),
    "gru_unbiased": Case((7, 3), [of.GRU(5, use_bias=False, name="a")], "x -> a: gru(5, sequence=off, bias=off)",
                         sequence="input"),
    "rnn": Case((7, 3), [of.SimpleRNN(5, return_sequences=True, name="a"), of.SimpleRNN(4, activation="relu", name="b")],
                "x -> a: rnn(5) -> b: rnn(4, activation=relu, sequence=off)", sequence="input"),
    "bidirectional": Case((7, 3), [of.Bidirectional(of.LSTM(5, return_sequences=True, name="lstm"), name="a"),
                                   of.Bidirectional(of.GRU(4, return_sequences=True, name="gru"), name="b"),
                                   of.Bidirectional(of.SimpleRNN(3, name="simple_rnn"), name="c")],
                          "x -> a: lstm(5, bidirectional=on) -> b: gru(4, bidirectional=on)\n"
                          "        -> c: rnn(3, bidirectional=on, sequence=off)", sequence="input"),
    "tagger": Case((9,), [of.Embedding(30, 6, name="a"), of.Bidirectional(of.LSTM(4, return_sequences=True, name="lstm"),
                                                                         name="b"),
                          of.TimeDistributed(of.Dense(5, activation="softmax", name="d"), name="c")],
                   "x -> a: embedding(30, 6) -> b: lstm(4, bidirectional=on) -> c: { d: dense(5, axis=-1) }\n"
                   "        -> softmax(axis=-1)", sequence="both", vocabulary=30),
    "text_cnn": Case((12,), [of.Embedding(30, 6, name="a"), of.Conv1D(8, 3, activation="relu", name="b"),
                             of.GlobalMaxPooling1D(), of.Dense(2, name="c")],
                     "x -> a: embedding(30, 6) -> transpose((1, 0)) -> b: conv(8, 3) -> relu\n"
                     "        -> globalmaxpool -> c: dense(2)", vocabulary=30),
    "cnn_lstm": Case((14, 3), [of.Conv1D(6, 3, activation="relu", name="a"), of.MaxPooling1D(2), of.LSTM(5, name="b"),
                               of.Dense(2, name="c")],
                     "x -> a: conv(6, 3) -> relu -> maxpool(2) -> transpose((1, 0))\n"
                     "        -> b: lstm(5, sequence=off) -> c: dense(2)"),
    # networks of several ways, and models in models
    "residual": Case((6, 5, 3), residual,
                     "(x -> c1: conv(6, 3x3, pad=same)) + (x -> c2: conv(6, 1x1))\n"
                     "        -> p: prelu -> flatten -> fc: dense(4)"),
    "inception": Case((6, 5, 3), inception,
                      "concat(x -> c1: conv(3, 1x1), x -> c2: conv(4, 3x3, pad=same),\n"
                      "        x -> avgpool(3x3, stride=1, pad=same)) -> flatten -> fc: dense(5)"),
    "squeeze": Case((7, 6, 3), squeeze_and_excite,
                    "y = x -> c: conv(8, 3x3, stride=2, pad=same)\n"
                    "    gate = y -> globalavgpool -> down: dense(2) -> relu -> up: dense(8) -> sigmoid\n"
                    "    return scale(y, gate)"),
    "nested": Case((6, 5, 3), nested,
                   "x -> stem: { conv: conv(4, 3x3) -> bn: batchnorm(eps=0.001) } -> flatten\n"
                   "        -> outer: { inner: { head: { fc: dense(3) } } }"),
}


def build(case):
    x = keras.Input(case.shape)
    y = x
    if callable(case.model):
        y = case.model(x)
    else:
        for layer in case.model:
            y = layer(y)
    return keras.Model(x, y)


def randomise(model, generator):
    """Numbers that f32 holds, everything of a size that matters."""
    for variable in model.weights:
        values = generator.standard_normal(variable.shape) * (0.5 if len(variable.shape) < 2 else 0.3)
        if variable.name in ("gamma", "scale", "moving_variance"):
            values = 0.5 + abs(values)
        variable.assign(values.astype(numpy.float32).astype(numpy.float64))


def channels_first(array, image):
    return numpy.moveaxis(array, -1, 0) if image and array.ndim > 1 else array


def all_layers(layer):
    yield layer
    for inner in getattr(layer, "_layers", ()):
        yield from all_layers(inner)


def second_biases(model):
    """PyTorch's recurrent layers have two biases, Keras's but for the GRU's only one."""
    cells = [layer for layer in all_layers(model) if isinstance(layer, (of.LSTM, of.SimpleRNN))]
    return sum(layer.cell.bias.shape[0] for layer in cells if layer.use_bias)


def check(name, folder):
    case = CASES[name]
    model = build(case)
    generator = numpy.random.default_rng(11)
    randomise(model, generator)
    x = (generator.integers(case.vocabulary, size=case.shape) if case.vocabulary
         else generator.standard_normal(case.shape)).astype(numpy.float32)
    expected = model.predict(x[None].astype(numpy.float64), verbose=0)[0]
    assert expected.dtype == numpy.float64
    expected = channels_first(expected, case.sequence not in ("result", "both"))
    x = numpy.ascontiguousarray(channels_first(x, case.sequence not in ("input", "both")))
    body = case.network if "return" in case.network else f"return {case.network}"
    source = folder / f"{name}.net"
    source.write_text(f"network {name}(x: {list(x.shape)}) -> {list(expected.shape)} {{\n    {body}\n}}\n",
                      encoding="utf-8")
    tensors = {variable.path: variable.numpy().astype(numpy.float32) for variable in model.weights}
    weights = folder / f"{name}{'.safetensors' if len(tensors) % 2 else '.npz'}"
    if weights.suffix == ".npz":
        numpy.savez(weights, **tensors)
    else:
        save_file(tensors, weights)
    numpy.save(folder / "x.npy", x)
    common = (source, f"--weights={weights}", "--weights-order=keras", f"--input={folder / 'x.npy'}")
    netc("run", *common, "--compare", "--cpu=native", f"--output={folder / 'compiled.npy'}")
    netc("run", *common, "--reference", f"--output={folder / 'reference.npy'}")
    # the reference is written as f32: half a unit in the last place of the largest value
    reference = distance(numpy.load(folder / "reference.npy"), expected)
    if not reference <= REFERENCE_LIMIT + 2.0 ** -24:
        return f"the reference is {reference:.2g} of the range from Keras's result"
    compiled = distance(numpy.load(folder / "compiled.npy"), expected)
    if not compiled <= COMPILED_LIMIT:
        return f"the compiled code is {compiled:.2g} of the range from Keras's result"
    ours = json.loads(netc("report", "--format=json", source))["totals"]["parameters"]
    theirs = model.count_params() + second_biases(model)
    if ours != theirs:
        return f"{ours} parameters, Keras has {theirs}"
    return None


check_all(sys.argv[1], sys.argv[2:] or list(CASES), check)
