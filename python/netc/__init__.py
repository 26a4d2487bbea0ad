"""Neural networks compiled to native code, called with numpy arrays:

    model = netc.compile("digits.net")
    logits = model(image)
    print(model.report)
"""
import io
import os
import weakref
from typing import NamedTuple, Optional

import numpy

from . import _library
from ._diagnostics import CompileError, Diagnostic, Fix, Label, Place, Span, diagnostics_of
from ._library import artefact, library, text
from ._model import Model
from ._report import Figures, Layer, Report, Tensor

__all__ = ["CompileError", "Diagnostic", "Figures", "Fix", "Label", "Layer", "Model", "Object",
           "Place", "Report", "Span", "Tensor", "build", "check", "compile", "report"]
__version__ = library.netc_version().decode()

_WEIGHTS_IN_MEMORY = "weights.npz"  # what they are called in messages


class Object(NamedTuple):
    """What a C program links."""
    object: bytes
    header: str
    weights: Optional[bytes]  # with weights_mode="extern": the packed weights file
    report: Report


class _Network:
    """Owns a network of the library."""

    def __init__(self, handle):
        if not handle:
            raise MemoryError("out of memory")
        self.handle = handle
        self._freed = weakref.finalize(self, library.netc_network_free, handle)

    def check(self):
        """Raises what kept it from being made."""
        result = library.netc_result_of(self.handle)
        message = text(library.netc_message(self.handle))
        if result in (_library.MISTAKE, _library.UNREADABLE):
            raise CompileError(text(artefact(self.handle, _library.MESSAGES_TEXT)),
                               diagnostics_of(self.handle))
        if result == _library.NO_MEMORY:
            raise MemoryError(message)
        if result == _library.MISUSE:
            raise ValueError(message)
        if result != _library.DONE:
            raise RuntimeError(message)


class _Compiler:
    """Options and files, for the length of one call."""

    def __init__(self, files):
        self.handle = library.netc_compiler_new()
        if not self.handle:
            raise MemoryError("out of memory")
        self._files = []  # the library does not copy them
        for name, content in (files or {}).items():
            self.add_file(name, content.encode() if isinstance(content, str) else bytes(content))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        library.netc_compiler_free(self.handle)

    def add_file(self, name, content):
        self._files.append(content)
        if library.netc_add_file(self.handle, os.fsencode(name), content, len(content)):
            raise MemoryError("out of memory")

    def set(self, option, value):
        if library.netc_set(self.handle, option.encode(), os.fsencode(value)):
            raise ValueError(text(library.netc_set_message(self.handle)))

    def set_weights(self, weights):
        """A path, or arrays by name."""
        if isinstance(weights, (str, bytes, os.PathLike)):
            self.set("weights", weights)
            return
        archive = io.BytesIO()
        numpy.savez(archive, **weights)
        self.add_file(_WEIGHTS_IN_MEMORY, archive.getvalue())
        self.set("weights", _WEIGHTS_IN_MEMORY)

    def set_all(self, weights, defines, options):
        if weights is not None:
            self.set_weights(weights)
        for name, value in (defines or {}).items():
            self.set("define", f"{name}={_written(value)}")
        for name, value in options.items():
            if value is not None:
                self.set(name.replace("_", "-"), _written(value))


def _written(value):
    """A value as the language writes it."""
    if isinstance(value, (bool, numpy.bool_)):
        return "on" if value else "off"
    return str(value)


def _make(stage, source, files, weights, defines, options):
    with _Compiler(files) as compiler:
        compiler.set_all(weights, defines, options)
        network = _Network(stage(compiler.handle, os.fsencode(source)))
    network.check()
    return network


def compile(source, *, weights=None, defines=None, files=None, **options):
    """Compiles a network into this process and gives a Model.

    source   the path of a .net file, or the name of one in `files`
    weights  a weights file, or arrays by name; left out: what the network says
    defines  values for the `let`s of the file: {"width": 64}
    files    texts or bytes by path, which are read in the place of files
    options  of `netc compile`, with `_` for `-`: network="tiny", threads=4, exact=True,
             cpu="x86-64-v3" (left out: this machine's)

    Raises CompileError, or ValueError for an option that is not one."""
    network = _make(library.netc_load, source, files, weights, defines, options)
    return Model(network, Report(network))


def report(source, *, defines=None, files=None, **options):
    """Gives the Report of a network. No weights are read."""
    return Report(_make(library.netc_plan, source, files, None, defines, options))


def check(source, *, weights=None, defines=None, files=None, **options):
    """Checks a network and its weights, as far as they are named, and gives its Report."""
    return Report(_make(library.netc_check, source, files, weights, defines, options))


def build(source, *, weights=None, defines=None, files=None, **options):
    """Compiles a network to an Object, for a C program to link: weights_mode="extern",
    target="aarch64-linux-gnu", cpu="x86-64-v2,x86-64-v4", and what compile() takes."""
    network = _make(library.netc_compile, source, files, weights, defines, options)
    return Object(artefact(network.handle, _library.OBJECT),
                  text(artefact(network.handle, _library.HEADER)),
                  artefact(network.handle, _library.WEIGHTS_FILE), Report(network))
