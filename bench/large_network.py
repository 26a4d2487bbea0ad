"""Prints a .net file of so many layers: python3 bench/large_network.py LAYERS > large.net

Residual groups of six layers at the sizes of a small image network, in scopes of ten groups, so
that labels, merges, fusion and groups of the report all have work. See bench/README.md."""
import sys

GROUP = """    x{after} = x{before}
        -> {label}: {{ conv(16, 3x3, pad=1, bias=off) -> batchnorm -> relu -> conv(16, 3x3, pad=1) }}
    y{after} = relu(x{after} + x{before})
"""


def main():
    layers = int(sys.argv[1])
    print("network large(image: [16, 8, 8]) -> [10] {")
    print("    y0 = image")
    groups = layers // 6
    for group in range(groups):
        print(f"    x{group + 1} = y{group}")
        print(f"        -> stage{group // 10}_{group % 10}: {{ conv(16, 3x3, pad=1, bias=off) -> batchnorm"
              " -> relu -> conv(16, 3x3, pad=1) }")
        print(f"    y{group + 1} = relu(x{group + 1} + y{group})")
    print(f"    return y{groups} -> globalavgpool -> dense(10)")
    print("}")


main()
