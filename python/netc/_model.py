"""A network in this process, called with numpy arrays."""
import ctypes
import math

import numpy

from . import _library
from ._library import library


def _aligned(size):
    """Memory at an address that is a multiple of what an arena asks for."""
    memory = numpy.empty(size + _library.ARENA_ALIGNMENT, numpy.uint8)
    return memory[-memory.ctypes.data % _library.ARENA_ALIGNMENT:]


def _samples_at(arrays, tensors, sample):
    """Where each array has sample number `sample`."""
    return (ctypes.c_void_p * len(arrays))(
        *(array.ctypes.data + sample * math.prod(tensor.shape) * array.itemsize
          for array, tensor in zip(arrays, tensors)))


class Model:
    """Takes an array for each input, in order or by name, and gives the result, or a tuple of them.

    An array has the dtype and shape of its input; or each has one more axis before these, and its
    items are samples that are computed one after the other. Several threads may call at once."""

    def __init__(self, network, report):
        self._network = network
        self.report = report
        self._arenas = []  # that no call uses now

    def __repr__(self):
        def show(tensors):
            return ", ".join(f"{one.name}: {one.dtype}{list(one.shape)}" for one in tensors)
        return (f"<netc.Model {self.report.name}({show(self.report.inputs)}) -> "
                f"({show(self.report.outputs)})>")

    def _by_place(self, arrays, named):
        """An array for each input."""
        inputs = self.report.inputs
        if len(arrays) > len(inputs):
            raise TypeError(f"{self.report.name} takes {len(inputs)} inputs, not {len(arrays)}")
        found = list(arrays)
        for one in inputs[len(arrays):]:
            if one.name not in named:
                raise TypeError(f"{self.report.name} needs an array for input `{one.name}`")
            found.append(named.pop(one.name))
        for name in named:
            raise TypeError(f"{self.report.name} has no further input called `{name}`")
        return found

    @staticmethod
    def _check(tensor, given):
        """The array as the code reads it."""
        array = numpy.asarray(given)
        if array.dtype != tensor.dtype:
            raise TypeError(f"input `{tensor.name}` is {tensor.dtype}, not {array.dtype}; "
                            f"if that is meant: array.astype(numpy.{tensor.dtype})")
        if array.shape != tensor.shape and array.shape[1:] != tensor.shape:
            raise ValueError(f"input `{tensor.name}` is {list(tensor.shape)}, or that behind an "
                             f"axis of samples, not {list(array.shape)}")
        return numpy.ascontiguousarray(array)

    def _samples(self, arrays):
        """The length of the axis of samples; None without one."""
        counts = {array.shape[0] if array.ndim > len(tensor.shape) else None
                  for tensor, array in zip(self.report.inputs, arrays)}
        if len(counts) > 1:
            raise ValueError("the inputs differ in their number of samples")
        return counts.pop()

    def __call__(self, *arrays, **named):
        arrays = [self._check(tensor, array) for tensor, array
                  in zip(self.report.inputs, self._by_place(arrays, named))]
        samples = self._samples(arrays)
        batch = () if samples is None else (samples,)
        results = [numpy.empty(batch + tensor.shape, numpy.float32)
                   for tensor in self.report.outputs]
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = _aligned(self.report.arena_bytes)
        for sample in range(1 if samples is None else samples):
            self._run(arrays, results, sample, arena)
        self._arenas.append(arena)
        return results[0] if len(results) == 1 else tuple(results)

    def _run(self, arrays, results, sample, arena):
        inputs = _samples_at(arrays, self.report.inputs, sample)
        outputs = _samples_at(results, self.report.outputs, sample)
        if library.netc_run(self._network.handle, inputs, outputs, arena.ctypes.data):
            raise RuntimeError(f"{self.report.name} was not called")
