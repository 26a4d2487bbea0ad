#!/usr/bin/env python3
"""Single layers on one core, as shares of what the machine can do: of the rate of f32 multiply-adds,
or for matrix-vector products of the bandwidth of reading memory, both measured in the same run. The
times are those that `netc bench` gives for the layer's own step. Convolutions run between two pools,
which leave their input and output in the kernels' own layout. `--exact` leaves Winograd's method out."""
import argparse
import json
import os
import subprocess
import tempfile

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


def step(body, options):
    """Seconds and multiply-adds of the layer in a network's body."""
    with tempfile.NamedTemporaryFile("w", suffix=".net") as source:
        source.write(f"network n{body}")
        source.flush()
        done = subprocess.run([NETC, "bench", "--format=json", source.name, *options], check=True,
                              capture_output=True, text=True)
    found, = (one for one in json.loads(done.stdout)["steps"] if one["macs"] > 0)
    return found["seconds"], found["macs"]


def rates():
    return [float(word) for word in subprocess.run([WORK / "machine", "1"], check=True, capture_output=True,
                                                    text=True).stdout.split()]


def convolution(shape, options):
    channels, size, filters, kernel, stride = shape
    before = "" if channels < 16 else "maxpool(1x1) -> "  # the first layers read the caller's layout
    return step(f"(x: [{channels}, {size}, {size}]) {{ return x -> {before}"
                f"conv({filters}, {kernel}x{kernel}, stride={stride}, pad={kernel // 2}) -> globalmaxpool }}", options)


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
        seconds, _ = step(f"(x: [{inputs}]) {{ return x -> dense({outputs}) }}", [])
        rate = 4 * inputs * outputs / seconds / 1e9
        print(f"dense      {inputs:7} -> {outputs:4}              {seconds * 1e6:9.1f} us {rate:7.1f} GB/s    "
              f"{rate / bandwidth:7.1%} of the bandwidth", flush=True)


main()
