#!/usr/bin/env python3
"""Single layers on one core, as shares of what the machine can do: of the rate of f32 multiply-adds,
or for matrix-vector products of the bandwidth of reading memory, both measured in the same run.
Convolutions run between two pools that leave their input and output in the kernels' own layout; the
time of the two alone is taken off. `--exact` leaves Winograd's method out."""
import argparse
import ctypes
import os
import re
import statistics
import subprocess
import time

import numpy

from networks import NETC, WORK

CONVOLUTIONS = {  # channels, size, filters, kernel, stride
    "ResNet-50": [(64, 56, 64, 1, 1), (64, 56, 64, 3, 1), (64, 56, 256, 1, 1), (256, 56, 64, 1, 1),
                  (256, 56, 128, 1, 1), (128, 56, 128, 3, 2), (128, 28, 512, 1, 1), (256, 56, 512, 1, 2),
                  (512, 28, 128, 1, 1), (128, 28, 128, 3, 1), (512, 28, 256, 1, 1), (256, 28, 256, 3, 2),
                  (256, 14, 1024, 1, 1), (512, 28, 1024, 1, 2), (1024, 14, 256, 1, 1), (256, 14, 256, 3, 1),
                  (1024, 14, 512, 1, 1), (512, 14, 512, 3, 2), (512, 7, 2048, 1, 1), (1024, 14, 2048, 1, 2),
                  (2048, 7, 512, 1, 1), (512, 7, 512, 3, 1)],
    "VGG-16": [(64, 224, 64, 3, 1), (64, 112, 128, 3, 1), (128, 112, 128, 3, 1), (128, 56, 256, 3, 1),
               (256, 56, 256, 3, 1), (256, 28, 512, 3, 1), (512, 28, 512, 3, 1), (512, 14, 512, 3, 1)],
    "others": [(3, 224, 64, 7, 2), (3, 224, 32, 3, 2), (3, 224, 64, 3, 1), (64, 27, 192, 5, 1), (60, 94, 100, 5, 1)],
}
DENSE = [(202_500, 250), (25_088, 4096), (4096, 4096), (2048, 1000)]


class Function:
    """A network compiled and loaded, with its arguments."""

    count = 0

    def __init__(self, text, options):
        Function.count += 1
        stem = WORK / f"kernel.{os.getpid()}.{Function.count}"
        source = stem.with_suffix(f".{Function.count}.net")
        source.write_text(text)
        weights = stem.with_suffix(f".{Function.count}.safetensors")
        built = stem.with_suffix(f".{Function.count}.o")
        subprocess.run([NETC, "init", source, "-o", weights], check=True)
        subprocess.run([NETC, source, f"--weights={weights}", "--cpu=native", "-o", built, *options], check=True)
        subprocess.run(["cc", "-shared", "-o", built.with_suffix(".so"), built], check=True)
        header = built.with_suffix(".h").read_text()
        size = lambda name: int(re.search(rf"#define N_{name} (\d+)", header)[1])
        self.macs = size("MACS")
        self.memory = [numpy.random.default_rng(1).standard_normal(size("X_SIZE"), numpy.float32),
                       numpy.empty(size("OUTPUT_SIZE"), numpy.float32), numpy.empty(size("ARENA_BYTES") + 64, numpy.uint8)]
        self.arguments = [ctypes.c_void_p(part.ctypes.data) for part in self.memory[:2]]
        self.arguments.append(ctypes.c_void_p((self.memory[2].ctypes.data + 63) // 64 * 64))
        self.function = ctypes.CDLL(str(built.with_suffix(".so"))).n
        for path in (source, weights, built, built.with_suffix(".h"), built.with_suffix(".so")):
            path.unlink()

    def seconds(self):
        """The median of a fifth of a second."""
        self.function(*self.arguments)
        times, end = [], time.monotonic() + 0.2
        while time.monotonic() < end or len(times) < 5:
            begin = time.perf_counter_ns()
            self.function(*self.arguments)
            times.append(time.perf_counter_ns() - begin)
        return statistics.median(times) / 1e9


def rates():
    return [float(word) for word in subprocess.run([WORK / "machine", "1"], check=True, capture_output=True,
                                                    text=True).stdout.split()]


def convolution(shape, options):
    channels, size, filters, kernel, stride = shape
    first = f"conv({filters}, {kernel}x{kernel}, stride={stride}, pad={kernel // 2})"
    if channels < 16:  # reads the caller's layout
        whole = Function(f"network n(x: [{channels}, {size}, {size}]) {{ return x -> {first} -> globalmaxpool }}", options)
        rest = Function(f"network n(x: [{filters}]) {{ return x -> relu }}", options)
    else:
        around = f"network n(x: [{channels}, {size}, {size}]) {{ return x -> maxpool(1x1) -> {{}} globalmaxpool }}"
        whole = Function(around.replace("{{", "{").replace("}}", "}").replace("{}", f"{first} ->"), options)
        rest = Function(around.replace("{{", "{").replace("}}", "}").replace("{}", ""), options)
    return whole.seconds() - rest.seconds(), whole.macs


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--exact", action="store_true")
    options = ["--exact"] if words.parse_args().exact else []
    os.sched_setaffinity(0, {0})
    for group, shapes in CONVOLUTIONS.items():
        for shape in shapes:
            peak = rates()[0]
            seconds, macs = convolution(shape, options)
            rate = 2 * macs / seconds / 1e9
            print("{:10} {:4} x {:3} -> {:4}, {}x{} stride {}".format(group, shape[0], shape[1], shape[2], shape[3],
                                                                      shape[3], shape[4]),
                  f"{seconds * 1e6:9.1f} us {rate:7.1f} GFLOP/s {rate / peak:7.1%} of the peak", flush=True)
    for inputs, outputs in DENSE:
        bandwidth = rates()[1]
        seconds = Function(f"network n(x: [{inputs}]) {{ return x -> dense({outputs}) }}", []).seconds()
        rate = 4 * inputs * outputs / seconds / 1e9
        print(f"dense      {inputs:7} -> {outputs:4}              {seconds * 1e6:9.1f} us {rate:7.1f} GB/s    "
              f"{rate / bandwidth:7.1%} of the bandwidth", flush=True)


main()
