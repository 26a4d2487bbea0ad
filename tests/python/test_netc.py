#!/usr/bin/env python3
"""The Python package: numbers beside those of `netc run`, checks of arrays, diagnostics, reports.
test_netc.py NETC SOURCE-FOLDER, with PYTHONPATH and NETC_LIBRARY set."""
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy

import netc

NETC, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
DIGITS = ROOT / "examples/digits/digits.net"

TOTAL = """network total(x: [2, 3], y: u8[2, 3]) -> (sum: [2, 3], flat: [6]) {
    return (x + y, x -> flatten)
}
"""
LINE = """let width = 2
network line(x: [2]) -> [width] { return x -> fc: dense(width) }
"""


class Digits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = netc.compile(DIGITS)
        cls.images = numpy.load(ROOT / "examples/digits/test_images_u8.npy")

    def as_run(self, images):
        """What the program gives, compiled for the same processor."""
        with tempfile.TemporaryDirectory() as folder:
            given, made = os.path.join(folder, "in.npy"), os.path.join(folder, "out.npy")
            numpy.save(given, images)
            subprocess.run([NETC, "run", DIGITS, "--cpu=native", f"--input={given}",
                            f"--output={made}"], check=True, capture_output=True)
            return numpy.load(made)

    def test_same_numbers_as_the_program(self):
        images = self.images[:50]
        expected = self.as_run(images)
        self.assertEqual(expected.shape, (50, 10))
        self.assertTrue(numpy.array_equal(self.model(images), expected))
        self.assertTrue(numpy.array_equal(self.model(images[7]), expected[7]))
        self.assertTrue(numpy.array_equal(self.model(image=images[7]), expected[7]))

    def test_array_that_is_not_contiguous(self):
        image = self.images[3]
        turned = numpy.asfortranarray(image)
        self.assertTrue(numpy.array_equal(self.model(turned), self.model(image)))
        self.assertTrue(numpy.array_equal(self.model(self.images[:20:2]),
                                          self.model(self.images[:20])[::2]))

    def test_no_samples(self):
        self.assertEqual(self.model(self.images[:0]).shape, (0, 10))

    def test_threads_call_at_once(self):
        expected, results = self.model(self.images[:64]), [None] * 4

        def call(i):
            results[i] = self.model(self.images[:64])
        threads = [threading.Thread(target=call, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            self.assertTrue(numpy.array_equal(result, expected))

    def test_arrays_that_do_not_fit(self):
        image = self.images[0]
        with self.assertRaisesRegex(TypeError, r"input `image` is uint8, not float64.*astype"):
            self.model(image.astype(float))
        with self.assertRaisesRegex(ValueError, r"is \[1, 28, 28\], or .*, not \[1, 28, 27\]"):
            self.model(image[:, :, 1:])
        with self.assertRaisesRegex(ValueError, r"not \[1, 1, 1, 28, 28\]"):
            self.model(image[None, None])
        with self.assertRaisesRegex(TypeError, "takes 1 inputs, not 2"):
            self.model(image, image)
        with self.assertRaisesRegex(TypeError, "needs an array for input `image`"):
            self.model()
        with self.assertRaisesRegex(TypeError, "no further input called `picture`"):
            self.model(image, picture=image)

    def test_report(self):
        report = self.model.report
        self.assertEqual(report.totals.parameters, 61706)
        conv = {layer.path: layer for layer in report.layers}["conv1"]
        self.assertEqual(conv.call, "conv(6, 5x5, pad=2)")
        self.assertEqual(conv.outputs[0].shape, (6, 28, 28))
        self.assertEqual([weight.name for weight in conv.weights], ["conv1.weight", "conv1.bias"])
        self.assertEqual(conv.weights[0].shape, (6, 1, 5, 5))
        self.assertEqual(conv.formulas["parameters"], "6 * (1 * 5 * 5) + 6 = 156")
        printed = subprocess.run([NETC, "report", DIGITS, "--cpu=native"], check=True,
                                 capture_output=True, text=True).stdout
        self.assertEqual(str(report), printed)
        self.assertIn("<iframe", report._repr_html_())
        self.assertNotIn("<table", report._repr_html_())  # it is quoted
        self.assertIn("<table", report.html())
        self.assertEqual(report.json()["totals"]["parameters"], 61706)
        self.assertIn("conv1", report.csv())
        self.assertIn("| conv1", report.markdown().replace("`", ""))
        self.assertIn("61,706", repr(report))


class Small(unittest.TestCase):
    def test_several_tensors_and_bytes(self):
        model = netc.compile("total.net", files={"total.net": TOTAL})
        x = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
        y = numpy.full((2, 3), 200, numpy.uint8)
        total, flat = model(x, y=y)
        self.assertTrue(numpy.array_equal(total, x + y))
        self.assertTrue(numpy.array_equal(flat, x.ravel()))
        with self.assertRaisesRegex(ValueError, "number of samples"):
            model(x[None], y)
        self.assertIn("y: uint8[2, 3]", repr(model))

    def test_weights_from_arrays(self):
        weights = {"fc.weight": numpy.array([[2, 3], [0, 1], [1, 1]], numpy.float32),
                   "fc.bias": numpy.array([0.5, 0, 1], numpy.float32)}
        model = netc.compile("line.net", files={"line.net": LINE}, weights=weights,
                             defines={"width": 3})
        self.assertEqual(model(numpy.array([1, 10], numpy.float32)).tolist(), [32.5, 10, 12])

    def test_mistakes_are_exceptions(self):
        with self.assertRaises(netc.CompileError) as caught:
            netc.check("a.net", files={"a.net": "network a(x: [2]) { return x -> rellu }"})
        self.assertIn("error[E0301]", str(caught.exception))
        first = caught.exception.diagnostics[0]
        self.assertEqual((first.severity, first.code), ("error", "E0301"))
        self.assertEqual((first.span.file, first.span.begin.line, first.span.begin.column),
                         ("a.net", 1, 33))
        self.assertEqual(first.fixes[0].replacement, "relu")
        with self.assertRaisesRegex(netc.CompileError, "cannot read `nowhere.net`"):
            netc.check("nowhere.net")
        with self.assertRaisesRegex(netc.CompileError, "no weights"):
            netc.compile("line.net", files={"line.net": LINE})
        named = LINE.replace("{ return", "{\n    weights \"gone.npz\"\n    return")
        self.assertEqual(netc.report("line.net", files={"line.net": named}).totals.trainable, 6)
        with self.assertRaisesRegex(netc.CompileError, "gone.npz"):
            netc.check("line.net", files={"line.net": named})
        with self.assertRaisesRegex(ValueError, "did you mean `exact`"):
            netc.report("line.net", files={"line.net": LINE}, exakt=True)

    def test_object_is_the_program_s(self):
        with tempfile.TemporaryDirectory() as folder:
            made = pathlib.Path(folder, "digits.o")
            subprocess.run([NETC, DIGITS, f"--output={made}", "--cpu=x86-64-v3",
                            "--weights-mode=extern"], check=True)
            built = netc.build(DIGITS, cpu="x86-64-v3", weights_mode="extern")
            self.assertEqual(built.object, made.read_bytes())
            self.assertEqual(built.header, made.with_suffix(".h").read_text())
            self.assertEqual(built.weights, made.with_suffix(".weights").read_bytes())
            subprocess.run([NETC, DIGITS, f"--output={made}", "--debug"], check=True)
            self.assertEqual(netc.build(DIGITS, debug=True).object, made.read_bytes())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
