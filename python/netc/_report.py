"""The report of a network: what every layer gives, costs and owns."""
import html
import json
from dataclasses import dataclass
from typing import Tuple

from . import _library
from ._library import artefact, library, text


@dataclass(frozen=True)
class Tensor:
    name: str
    dtype: str  # as numpy calls it: "float32" or "uint8"
    shape: Tuple[int, ...]


@dataclass(frozen=True)
class Figures:
    trainable: int  # parameters
    frozen: int     # parameters
    macs: int
    operations: int  # other than multiply-accumulates
    flops: int       # 2 * macs + operations
    activation_bytes: int

    @property
    def parameters(self):
        return self.trainable + self.frozen


@dataclass(frozen=True)
class Layer:
    path: str
    call: str
    outputs: Tuple[Tensor, ...]
    weights: Tuple[Tensor, ...]  # as a weights file names them
    figures: Figures
    formulas: dict  # "parameters": "6 * (1 * 5 * 5) + 6 = 156"; without what there is none of


def _tensors(raw, count):
    return tuple(Tensor(text(one.name), "uint8" if one.element == _library.U8 else "float32",
                        tuple(one.dims[:one.rank])) for one in raw[:count])


def _figures(raw):
    return Figures(*(getattr(raw, name) for name, _ in raw._fields_))


def _formulas(raw):
    return {name: text(getattr(raw, name)) for name, _ in raw._fields_ if getattr(raw, name)}


def _layer(raw):
    return Layer(text(raw.path), text(raw.call), _tensors(raw.outputs, raw.output_count),
                 _tensors(raw.weights, raw.weight_count), _figures(raw.figures),
                 _formulas(raw.formulas))


class Report:
    """Shows as a table in a notebook, and as text by str()."""

    def __init__(self, network):
        self._network = network
        raw = library.netc_report_of(network.handle).contents
        self.name = text(raw.name)
        self.inputs = _tensors(raw.inputs, raw.input_count)
        self.outputs = _tensors(raw.outputs, raw.output_count)
        self.layers = [_layer(one) for one in raw.layers[:raw.layer_count]]
        self.totals = _figures(raw.totals)
        self.arena_bytes = raw.arena_bytes    # that a call needs
        self.packed_bytes = raw.packed_bytes  # of weights
        self.networks = [text(name) for name in raw.networks[:raw.network_count]]

    def _written(self, which):
        return text(artefact(self._network.handle, which))

    def __str__(self):
        return self._written(_library.REPORT_TEXT)

    def __repr__(self):
        return f"<netc.Report of {self.name}: {self.totals.parameters:,} parameters>"

    def _repr_html_(self):
        """A frame, so that neither page's style reaches the other."""
        page = html.escape(self.html(), quote=True)
        return (f'<iframe srcdoc="{page}" style="width:100%;height:32rem;border:0" '
                'sandbox="allow-scripts"></iframe>')

    def html(self):
        """A page that needs nothing else."""
        return self._written(_library.REPORT_HTML)

    def markdown(self):
        return self._written(_library.REPORT_MARKDOWN)

    def csv(self):
        return self._written(_library.REPORT_CSV)

    def json(self):
        """What docs/report.schema.json says, with all formulas."""
        return json.loads(self._written(_library.REPORT_JSON))
