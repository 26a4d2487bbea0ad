"""The library's networks that torchvision does not have, as PyTorch modules. Their tensors come in the
order of the .net file's."""
import torch
from torch import nn
from torch.nn import functional as F


def conv_norm(channels, filters, kernel, activation, **window):
    return [nn.Conv2d(channels, filters, kernel, bias=False, **window), nn.BatchNorm2d(filters),
            *activation]


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


class Subsample(nn.Module):
    """LeCun et al. 1998, section II.B: the mean of 2x2, times a coefficient, plus a bias, of each map."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.randn(channels))
        self.bias = nn.Parameter(torch.randn(channels))

    def forward(self, x):
        return F.avg_pool2d(x, 2) * self.coefficient[:, None, None] + self.bias[:, None, None]


def lenet5_1998():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), Subsample(6), nn.Tanh(), nn.Conv2d(6, 16, 5), nn.Tanh(), Subsample(16),
        nn.Tanh(), nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


def separable_unit(channels, filters, stride=1, activation=nn.ReLU):
    return [*conv_norm(channels, channels, 3, [nn.ReLU()], stride=stride, padding=1, groups=channels),
            *conv_norm(channels, filters, 1, [nn.ReLU()])]


def dscnn():
    units = [layer for _ in range(4) for layer in separable_unit(64, 64)]
    return nn.Sequential(nn.ZeroPad2d((1, 1, 4, 5)), *conv_norm(1, 64, (10, 4), [nn.ReLU()], stride=2),
                         *units, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 12))


def mobilenet_v1():
    widths = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    layers, channels = conv_norm(3, 32, 3, [nn.ReLU()], stride=2, padding=1), 32
    for filters, stride in widths:
        layers += separable_unit(channels, filters, stride)
        channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))


def tiny_yolo_v2():
    layers, channels = [], 3
    for i, filters in enumerate((16, 32, 64, 128, 256, 512, 1024, 1024)):
        layers += conv_norm(channels, filters, 3, [nn.LeakyReLU(0.1)], padding=1)
        layers += [nn.MaxPool2d(2)] if i < 5 else []
        layers += [nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(2, 1)] if i == 5 else []
        channels = filters
    # the padding of a pool is minus infinity: what is made here must not be above the edge
    layers = [nn.ConstantPad2d((0, 1, 0, 1), float("-inf")) if isinstance(layer, nn.ZeroPad2d) else layer
              for layer in layers]
    return nn.Sequential(*layers)


def separable(channels, filters):
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
                         *conv_norm(channels, filters, 1, []))


def pool_same(x):
    """3x3 at every second place, as TensorFlow pads it: the odd row or column at the end."""
    pads = [max(0, (-(-size // 2) - 1) * 2 + 3 - size) for size in map(int, (x.shape[3], x.shape[2]))]
    pads = [side for pad in pads for side in (pad // 2, pad - pad // 2)]
    return F.max_pool2d(F.pad(x, pads, value=float("-inf")), 3, 2)


class XceptionShrink(nn.Module):
    """A block of the entry or exit flow (Chollet 2017, figure 5), with its convolution beside it."""

    def __init__(self, channels, first, width, activate=True):
        super().__init__()
        self.activate = activate
        self.units = nn.ModuleList([separable(channels, first), separable(first, width)])
        self.beside = nn.Sequential(*conv_norm(channels, width, 1, [], stride=2))

    def forward(self, x):
        y = self.units[0](F.relu(x) if self.activate else x)
        return pool_same(self.units[1](F.relu(y))) + self.beside(x)


class XceptionMiddle(nn.Module):
    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(*[layer for _ in range(3) for layer in (nn.ReLU(), separable(728, 728))])

    def forward(self, x):
        return x + self.units(x)


def xception():
    return nn.Sequential(
        *conv_norm(3, 32, 3, [nn.ReLU()], stride=2), *conv_norm(32, 64, 3, [nn.ReLU()]),
        XceptionShrink(64, 128, 128, activate=False), XceptionShrink(128, 256, 256), XceptionShrink(256, 728, 728),
        *[XceptionMiddle() for _ in range(8)], XceptionShrink(728, 728, 1024),
        separable(1024, 1536), nn.ReLU(), separable(1536, 2048), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        widths = [1, 64, 128, 256, 512, 1024]
        self.down = nn.ModuleList(self.pair(a, b) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(
            nn.ModuleList([nn.ConvTranspose2d(w, w // 2, 2, 2), self.pair(w, w // 2)])
            for w in reversed(widths[2:]))
        self.last = nn.Conv2d(64, 2, 1)

    @staticmethod
    def pair(channels, filters):
        return nn.Sequential(nn.Conv2d(channels, filters, 3), nn.ReLU(), nn.Conv2d(filters, filters, 3),
                             nn.ReLU())

    def forward(self, x):
        left = []
        for i, down in enumerate(self.down):
            x = down(F.max_pool2d(x, 2) if i else x)
            left.append(x)
        for (wider, pair), other in zip(self.up, reversed(left[:-1])):
            x = wider(x)
            edge = (other.shape[-1] - x.shape[-1]) // 2
            x = pair(torch.cat([other[:, :, edge:-edge, edge:-edge], x], 1))
        return self.last(x)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10_000, 128)
        self.lstm = nn.LSTM(128, 256, 2, bidirectional=True, batch_first=True)
        self.tags = nn.Linear(512, 17)

    def forward(self, words):
        return self.tags(self.lstm(self.embedding(words.long()))[0])


class BertLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 12, batch_first=True)
        self.norm1 = nn.LayerNorm(width, eps=1e-12)
        self.intermediate, self.output = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x):
        x = self.norm1(x + self.attention(x, x, x, need_weights=False)[0])
        return self.norm2(x + self.output(F.gelu(self.intermediate(x))))


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.kinds = nn.Embedding(30522, 768), nn.Embedding(2, 768)
        self.positions = nn.Embedding(512, 768)
        self.norm = nn.LayerNorm(768, eps=1e-12)
        self.layers = nn.Sequential(*(BertLayer(768) for _ in range(12)))
        self.pooler = nn.Linear(768, 768)

    def forward(self, tokens, segments):
        x = self.words(tokens.long()) + self.kinds(segments.long())
        x = self.layers(self.norm(x + self.positions.weight[:tokens.shape[1]]))
        return x, torch.tanh(self.pooler(x[:, 0]))


class GptLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 12, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        y = self.norm1(x)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        x = x + self.attention(y, y, y, attn_mask=mask, need_weights=False)[0]
        return x + self.second(F.gelu(self.first(self.norm2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50257, 768), nn.Embedding(1024, 768)
        self.layers = nn.Sequential(*(GptLayer(768) for _ in range(12)))
        self.norm = nn.LayerNorm(768)

    def forward(self, tokens):
        x = self.tokens(tokens.long()) + self.positions.weight[:tokens.shape[1]]
        return self.norm(self.layers(x)) @ self.tokens.weight.T
