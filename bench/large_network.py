"""Prints a network of so many layers, about: large_network.py LAYERS [KIND]

residual   groups of six layers with a sum around them, as in an image network (default)
skips      every value is needed until the end: the worst there is for placing buffers
See bench/README.md."""
import sys

GROUP = """    x{after} = y{before} -> stage{stage}_{place}: {{
        conv(16, 3x3, pad=1, bias=off) -> batchnorm -> relu -> conv(16, 3x3, pad=1)
    }}
    y{after} = relu(x{after} + y{before})"""


def residual(layers):
    print("network large(image: [16, 8, 8]) -> [10] {\n    y0 = image")
    groups = layers // 6
    for before in range(groups):
        print(GROUP.format(before=before, after=before + 1, stage=before // 10, place=before % 10))
    print(f"    return y{groups} -> globalavgpool -> dense(10)\n}}")


def skips(layers):
    print("network large(image: [16, 8, 8]) -> [16, 8, 8] {\n    y0 = image")
    half = layers // 2
    for i in range(half):
        print(f"    y{i + 1} = y{i} -> conv(16, 3x3, pad=1)")
    print(f"    z{half} = y{half}")
    for i in reversed(range(half)):
        print(f"    z{i} = z{i + 1} + y{i}")
    print("    return z0\n}")


{"residual": residual, "skips": skips}[sys.argv[2] if len(sys.argv) > 2 else "residual"](
    int(sys.argv[1]))
