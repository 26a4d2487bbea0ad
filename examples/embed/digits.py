"""Compiles the network of examples/digits into this process and classifies its 2,000 digits.
Usage: digits.py DIGITS-FOLDER"""
import pathlib
import sys

import netc
import numpy

folder = pathlib.Path(sys.argv[1])
model = netc.compile(folder / "digits.net")
print(model.report)
images = numpy.load(folder / "test_images_u8.npy")
labels = numpy.load(folder / "test_labels.npy")
right = (model(images).argmax(axis=1) == labels).sum()
print(f"{right} of {len(labels)} right")
sys.exit(0 if right == 1964 else 1)
