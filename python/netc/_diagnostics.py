"""Diagnostics, and the exception that carries them."""
import ctypes
from dataclasses import dataclass
from typing import Optional, Tuple

from ._library import library, text


@dataclass(frozen=True)
class Place:
    byte: int    # from 0, in the file
    line: int    # from 1
    column: int  # from 1, in characters


@dataclass(frozen=True)
class Span:
    file: str
    begin: Place
    end: Place  # after the last character


@dataclass(frozen=True)
class Label:
    span: Optional[Span]
    text: str


@dataclass(frozen=True)
class Fix:
    message: str
    span: Optional[Span]
    replacement: Optional[str]  # of the span; None: advice without an edit
    applicable: bool


@dataclass(frozen=True)
class Diagnostic:
    severity: str  # "error" or "warning"
    code: str
    message: str
    span: Optional[Span]
    label: Optional[str]
    labels: Tuple[Label, ...]
    notes: Tuple[str, ...]
    fixes: Tuple[Fix, ...]


class CompileError(Exception):
    """A network cannot be compiled: a mistake in it or its weights, or a file that cannot be read.
    The text is what netc prints; `diagnostics` has it by parts."""

    def __init__(self, message, diagnostics):
        super().__init__(message)
        self.diagnostics = diagnostics


def _place(raw):
    return Place(raw.byte, raw.line, raw.column)


def _span(raw):
    return Span(text(raw.file), _place(raw.begin), _place(raw.end)) if raw.file else None


def _diagnostic(raw):
    return Diagnostic(
        ("error", "warning")[raw.severity], text(raw.code), text(raw.message), _span(raw.span),
        text(raw.label),
        tuple(Label(_span(label.span), text(label.text))
              for label in raw.labels[:raw.label_count]),
        tuple(text(note) for note in raw.notes[:raw.note_count]),
        tuple(Fix(text(fix.message), _span(fix.span), text(fix.replacement), bool(fix.applicable))
              for fix in raw.fixes[:raw.fix_count]))


def diagnostics_of(network):
    count = ctypes.c_size_t()
    raw = library.netc_diagnostics(network, ctypes.byref(count))
    return [_diagnostic(raw[i]) for i in range(count.value)]
