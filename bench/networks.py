"""The networks that are compared: each a `.net` file of this project and the same as a PyTorch module,
which the other systems get by ONNX or by tracing. f32, batch 1, the same random weights everywhere."""
import dataclasses
import json
import pathlib
import subprocess
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parents[1]
PARITY = ROOT / "tests/parity"  # modules of networks that torchvision does not have
WORK = ROOT / "build/bench"
NETC = ROOT / "build/netc"
SEED = 7
sys.path.append(str(PARITY))


@dataclasses.dataclass(frozen=True)
class Network:
    file: str  # below the project's root
    network: str
    make: str  # a function below, of tests/parity/modules.py or of torchvision.models
    main: bool = True  # of the table with targets
    tokens: int = 0  # inputs are whole numbers below it; 0: normal ones
    extra: dict = dataclasses.field(default_factory=dict)


def library(file, network, main=False, make=None, tokens=0, **extra):
    return Network(f"examples/networks/{file}.net", network, make or network, main, tokens, extra)


NETWORKS = {
    "lenet5": Network("bench/networks/small.net", "lenet5_28", "lenet5"),
    "mlp": Network("bench/networks/small.net", "mlp", "mlp"),
    "dscnn": Network("bench/networks/small.net", "dscnn_even", "dscnn"),
    "question": Network("examples/question/question.net", "question", "question"),
    "alexnet": library("alexnet", "alexnet", True),
    "squeezenet1_1": library("squeezenet", "squeezenet1_1", True),
    "mobilenet_v2": library("mobilenet", "mobilenet_v2", True),
    "vgg16": library("vgg", "vgg16", True),
    "resnet18": library("resnet", "resnet18", True),
    "resnet50": library("resnet", "resnet50", True),
    "googlenet": library("googlenet", "googlenet", aux_logits=False, init_weights=False),
    "densenet121": library("densenet", "densenet121"),
    "efficientnet_b0": library("efficientnet", "efficientnet_b0"),
    "mobilenet_v3_large": library("mobilenet_v3", "mobilenet_v3_large"),
    "shufflenet_v2_x1_0": library("shufflenet", "shufflenet_v2_x1_0"),
    "mobilenet_v3_small": library("mobilenet_v3", "mobilenet_v3_small"),
    "mnasnet1_0": library("mnasnet", "mnasnet1_0"),
    "regnet_x_400mf": library("regnet", "regnet_x_400mf"),
    "regnet_y_400mf": library("regnet", "regnet_y_400mf"),
    "resnext50_32x4d": library("resnet", "resnext50_32x4d"),
    "inception_v3": library("inception", "inception_v3", aux_logits=False, init_weights=False),
    "convnext_tiny": library("convnext", "convnext_tiny"),
    "vit_b_16": library("vit", "vit_b_16"),
    "swin_t": library("swin", "swin_t"),
    "mobilenet_v1": library("mobilenet", "mobilenet_v1"),
    "xception": library("xception", "xception"),
    "tiny_yolo_v2": library("yolo", "tiny_yolo_v2"),
    "unet": library("unet", "unet", make="UNet"),
    "bert": library("bert", "bert", make="Bert", tokens=2),
    "gpt2": library("gpt2", "gpt2", make="Gpt2", tokens=50_257),
    "tagger": library("tagger", "tagger", make="Tagger", tokens=10_000),
}


# ---- as PyTorch modules ---------------------------------------------------------------------------


def lenet5(nn):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


def mlp(nn):
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def dscnn(nn):
    layers = [nn.Conv2d(1, 64, (10, 4), stride=2, padding=(4, 1), bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    for _ in range(4):
        layers += [nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
                   nn.Conv2d(64, 64, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 12))


def question(nn):
    return nn.Sequential(
        nn.Conv2d(1, 60, 7), nn.ReLU(), nn.Conv2d(60, 100, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(100 * 45 * 45, 250), nn.ReLU(), nn.Linear(250, 200), nn.ReLU(), nn.Linear(200, 1), nn.Sigmoid())


def module_of(name):
    """The network as a PyTorch module with random weights of a fixed seed."""
    import torch
    # torchvision's compiled ops do not load beside this build of torch, and no model needs them
    sys.modules.setdefault("torchvision._meta_registrations",
                           types.ModuleType("torchvision._meta_registrations"))
    from torchvision import models
    import modules
    network = NETWORKS[name]
    torch.manual_seed(0)
    if network.make in globals():
        model = globals()[network.make](torch.nn)
    elif hasattr(modules, network.make):
        model = getattr(modules, network.make)()
    else:
        model = getattr(models, network.make)(weights=None, **network.extra)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # a last layer of zeros would make any result right
        for parameter in model.parameters():
            if parameter.abs().max() == 0:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    for module in model.modules():  # statistics that folding has something to do with
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=generator) * 0.05)
            module.running_var.copy_(torch.rand(module.running_var.shape, generator=generator) * 0.5 + 0.75)
    return model.eval()


# ---- what all systems start from ------------------------------------------------------------------


def report_of(name):
    """netc's report, as JSON: shapes, tensors in their order, multiply-accumulates."""
    network = NETWORKS[name]
    text = subprocess.run([NETC, "report", "--format=json", f"--network={network.network}", ROOT / network.file],
                          check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def inputs_of(name):
    """f32 arrays, with an axis of one sample."""
    import numpy
    generator, tokens = numpy.random.default_rng(SEED), NETWORKS[name].tokens
    shapes = json.loads((WORK / f"{name}.json").read_text())["inputs"]
    return [generator.integers(0, tokens, shape).astype(numpy.float32) if tokens
            else generator.standard_normal(shape, dtype=numpy.float32) for shape in shapes]


def input_names(count):
    """Of the ONNX file."""
    return [f"x{i}" for i in range(count)]


def state_of(model, report):
    """The module's tensors under the names that the network has for them: its own where they are the
    same (a parameter that stands alone has `.weight` behind it), else those in the same place."""
    weights = {weight["name"]: weight["shape"] for layer in report["layers"] for weight in layer["weights"]}
    state = {key: tensor for key, tensor in model.state_dict().items() if tensor.is_floating_point()}
    assert len(state) == len(weights)
    by_name = {name: state.get(name, state.get(name.removesuffix(".weight"))) for name in weights}
    if any(tensor is None for tensor in by_name.values()):
        by_name = dict(zip(weights, state.values()))
    return {name: by_name[name].reshape(shape).contiguous() for name, shape in weights.items()}


def prepare(name):
    """Writes NAME.onnx, .safetensors, .json (facts), and .npy: the first output, computed in float64."""
    if (WORK / f"{name}.npy").exists():
        return
    import numpy
    import torch
    from safetensors.torch import save_file
    WORK.mkdir(parents=True, exist_ok=True)
    model, report = module_of(name), report_of(name)
    inputs, outputs = ([[1, *entry["shape"]] for entry in report[side]] for side in ("inputs", "outputs"))
    facts = {"inputs": inputs, "outputs": outputs, "macs": report["totals"]["macs"],
             "bytes": report["totals"]["weight_bytes"]}
    (WORK / f"{name}.json").write_text(json.dumps(facts))
    save_file(state_of(model, report), WORK / f"{name}.safetensors")
    arguments = tuple(map(torch.from_numpy, inputs_of(name)))
    torch.backends.mha.set_fastpath_enabled(False)  # which ONNX has no word for
    with torch.no_grad():
        torch.onnx.export(model, arguments, WORK / f"{name}.onnx", dynamo=False, opset_version=17,
                          do_constant_folding=True, input_names=input_names(len(arguments)))
        result = model.double()(*[x.double() for x in arguments])
    numpy.save(WORK / f"{name}.npy", (result[0] if isinstance(result, tuple) else result).numpy())
