"""The shared library through ctypes: include/netc/netc.h, declaration by declaration."""
import ctypes
import os
import pathlib
from ctypes import (CDLL, POINTER, Structure, c_char_p, c_int, c_int64, c_size_t, c_void_p)

VERSION = "0.1"  # of the structures below

# netc_result
DONE, MISTAKE, MISUSE, UNREADABLE, NO_MEMORY, INTERNAL = 0, 1, 2, 3, 4, 70

# netc_artefact
(OBJECT, HEADER, WEIGHTS_FILE, MESSAGES_TEXT, MESSAGES_COLOUR, MESSAGES_JSON, REPORT_TEXT,
 REPORT_JSON, REPORT_CSV, REPORT_MARKDOWN, REPORT_HTML) = range(11)

MAX_RANK = 8
U8 = 1  # netc_element
ARENA_ALIGNMENT = 64


class Place(Structure):
    _fields_ = [("byte", c_size_t), ("line", c_size_t), ("column", c_size_t)]


class Span(Structure):
    _fields_ = [("file", c_char_p), ("begin", Place), ("end", Place)]


class Label(Structure):
    _fields_ = [("span", Span), ("text", c_char_p)]


class Fix(Structure):
    _fields_ = [("message", c_char_p), ("replacement", c_char_p), ("span", Span),
                ("applicable", c_int)]


class Diagnostic(Structure):
    _fields_ = [("severity", c_int), ("code", c_char_p), ("message", c_char_p), ("span", Span),
                ("label", c_char_p), ("labels", POINTER(Label)), ("label_count", c_size_t),
                ("notes", POINTER(c_char_p)), ("note_count", c_size_t), ("fixes", POINTER(Fix)),
                ("fix_count", c_size_t)]


class Tensor(Structure):
    _fields_ = [("name", c_char_p), ("element", c_int), ("rank", c_int),
                ("dims", c_int64 * MAX_RANK), ("bytes", c_int64)]


class Figures(Structure):
    _fields_ = [(name, c_int64) for name in ("trainable", "frozen", "macs", "operations", "flops",
                                             "activation_bytes")]


class Formulas(Structure):
    _fields_ = [(name, c_char_p) for name in ("parameters", "macs", "operations", "flops",
                                              "activation_bytes")]


class Layer(Structure):
    _fields_ = [("path", c_char_p), ("call", c_char_p), ("outputs", POINTER(Tensor)),
                ("output_count", c_size_t), ("weights", POINTER(Tensor)),
                ("weight_count", c_size_t), ("figures", Figures), ("formulas", Formulas)]


class Report(Structure):
    _fields_ = [("name", c_char_p), ("inputs", POINTER(Tensor)), ("input_count", c_size_t),
                ("outputs", POINTER(Tensor)), ("output_count", c_size_t),
                ("layers", POINTER(Layer)), ("layer_count", c_size_t), ("totals", Figures),
                ("arena_bytes", c_int64), ("packed_bytes", c_int64),
                ("networks", POINTER(c_char_p)), ("network_count", c_size_t)]


FUNCTIONS = {
    "netc_version": (c_char_p, []),
    "netc_compiler_new": (c_void_p, []),
    "netc_compiler_free": (None, [c_void_p]),
    "netc_set": (c_int, [c_void_p, c_char_p, c_char_p]),
    "netc_set_message": (c_char_p, [c_void_p]),
    "netc_add_file": (c_int, [c_void_p, c_char_p, c_char_p, c_size_t]),
    "netc_read_files": (None, [c_void_p, c_int]),
    "netc_plan": (c_void_p, [c_void_p, c_char_p]),
    "netc_check": (c_void_p, [c_void_p, c_char_p]),
    "netc_compile": (c_void_p, [c_void_p, c_char_p]),
    "netc_load": (c_void_p, [c_void_p, c_char_p]),
    "netc_network_free": (None, [c_void_p]),
    "netc_result_of": (c_int, [c_void_p]),
    "netc_message": (c_char_p, [c_void_p]),
    "netc_bytes": (c_void_p, [c_void_p, c_int, POINTER(c_size_t)]),
    "netc_diagnostics": (POINTER(Diagnostic), [c_void_p, POINTER(c_size_t)]),
    "netc_report_of": (POINTER(Report), [c_void_p]),
    "netc_run": (c_int, [c_void_p, POINTER(c_void_p), POINTER(c_void_p), c_void_p]),
}


def _candidates():
    """Where the library may be, the first that is there."""
    if "NETC_LIBRARY" in os.environ:
        return [os.environ["NETC_LIBRARY"]]
    names = ("libnetc.so.0", "libnetc.so")
    package = pathlib.Path(__file__).resolve().parent
    folders = [package]
    if package.parts[-3:] == ("python3", "dist-packages", "netc"):  # installed: of PREFIX/lib
        libraries = package.parents[2]
        folders += [libraries, *libraries.glob("*-linux-gnu")]
    there = [folder / name for folder in folders for name in names if (folder / name).exists()]
    return [str(path) for path in there] + [names[0]]


def _open():
    problems = []
    for path in _candidates():
        try:
            return CDLL(path)
        except OSError as error:
            problems.append(str(error))
    raise ImportError("netc needs its shared library, beside the package, where the system finds "
                      "libraries, or at NETC_LIBRARY: " + "; ".join(problems))


def _load():
    library = _open()
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    version = library.netc_version().decode()
    if version.rsplit(".", 1)[0] != VERSION:
        raise ImportError(f"this package is for netc {VERSION}, and the library is {version}")
    return library


library = _load()


def text(raw):
    """A text of the library; names of files may be any bytes."""
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def artefact(network, which):
    """The bytes of an artefact, or None."""
    size = c_size_t()
    address = library.netc_bytes(network, which, ctypes.byref(size))
    return ctypes.string_at(address, size.value) if address else None
