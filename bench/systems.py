"""The systems that are compared. Each has `name` and

    load(network, threads, inputs)   makes it ready, with these arrays as its inputs
    call()                           what is timed: the system's call alone, its inputs in place
    result()                         what the last call computed, its first output as a numpy array

`call` is the C function through ctypes (netc, OpenVINO) or the bound method next to it (ONNX Runtime's
with bound arrays, LiteRT's Invoke): some 0.3 us of Python. ncnn's package for Python has no such call,
its arrays are made anew (3 us), and torch.compile's function checks what it is given.

Settings are those that make each fastest for one sample in f32."""
import ctypes
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from networks import NETC, NETWORKS, ROOT, WORK, input_names, module_of

PAGE = 4096
LARGE = 16 << 20  # bytes of weights


class Netc:
    """Small weights are in the object, large ones are loaded from a file by netc's runtime."""
    name = "netc"

    def load(self, network, threads, inputs):
        import numpy
        entry = NETWORKS[network]
        cpu = os.environ.get("BENCH_CPU", "native")
        stem = WORK / f"netc.{network}.{cpu}.{threads}"
        weights = WORK / f"{network}.safetensors"
        large = weights.stat().st_size >= LARGE
        start = time.time()
        shared = [f"--threads={threads}"] if threads > 1 else []
        subprocess.run([NETC, ROOT / entry.file, f"--network={entry.network}", f"--cpu={cpu}", *shared,
                        f"--weights-mode={'extern' if large else 'embed'}", f"--weights={weights}",
                        f"--output={stem}.o"], check=True)
        self.compile_seconds = time.time() - start
        runtime = [f"-I{ROOT}/runtime", ROOT / "runtime/netc_runtime.c"] if large else []
        subprocess.run(["cc", "-O2", "-fPIC", "-shared", "-o", f"{stem}.so", f"{stem}.o", *runtime,
                        *(["-lpthreadpool"] if shared else [])], check=True)
        library = ctypes.CDLL(f"{stem}.so")
        arena = re.search(r"_ARENA_BYTES (\d+)", pathlib.Path(f"{stem}.h").read_text())
        shapes = json.loads((WORK / f"{network}.json").read_text())["outputs"]
        self.inputs, self.outputs = inputs, [numpy.empty(shape, numpy.float32) for shape in shapes]
        self.arena = numpy.empty(int(arena[1]) + PAGE, numpy.uint8)
        arguments = [array.ctypes.data for array in [*inputs, *self.outputs]]
        arguments.append((self.arena.ctypes.data + PAGE - 1) // PAGE * PAGE)
        if large:
            data = (ctypes.c_void_p * 4)()  # struct netc_weights
            info = ctypes.c_char.in_dll(library, f"{entry.network}_info")
            status = library.netc_weights_load(f"{stem}.weights".encode(), ctypes.byref(info), 0, data)
            assert status == 0, status
            arguments.insert(-1, data[0])
        if shared:
            create = ctypes.CDLL("libpthreadpool.so.0").pthreadpool_create
            create.restype, create.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
            arguments.append(create(threads))
        self.call = functools.partial(getattr(library, entry.network), *map(ctypes.c_void_p, arguments))

    def result(self):
        return self.outputs[0]


class OnnxRuntime:
    name = "ONNX Runtime"

    def load(self, network, threads, inputs):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(WORK / f"{network}.onnx", options,
                                                    providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        value = onnxruntime.OrtValue.ortvalue_from_numpy
        named = dict(zip(input_names(len(inputs)), inputs))
        self.inputs = {name: value(array) for name, array in named.items()}
        self.outputs = [value(array) for array in self.session.run(None, named)]
        for name, array in self.inputs.items():
            self.binding.bind_ortvalue_input(name, array)
        for place, array in zip(self.session.get_outputs(), self.outputs):
            self.binding.bind_ortvalue_output(place.name, array)
        self.call = functools.partial(self.session._sess.run_with_iobinding, self.binding._iobinding, None)

    def result(self):
        return self.outputs[0].numpy()


class OpenVino:
    name = "OpenVINO"

    def load(self, network, threads, inputs):
        import numpy
        import openvino
        library, = (pathlib.Path(openvino.__file__).parent / "libs").glob("libopenvino_c.so*")
        self.library = ctypes.CDLL(str(library))
        core, model, compiled, request = (ctypes.c_void_p() for _ in range(4))
        self.check("core_create", ctypes.byref(core))
        self.check("core_read_model", core, bytes(WORK / f"{network}.onnx"), None, ctypes.byref(model))
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32",
                    "INFERENCE_NUM_THREADS": str(threads), "NUM_STREAMS": "1"}
        words = [word.encode() for setting in settings.items() for word in setting]
        self.check("core_compile_model", core, model, b"CPU", ctypes.c_size_t(len(words)), ctypes.byref(compiled),
                   *words)
        self.check("compiled_model_create_infer_request", compiled, ctypes.byref(request))
        expected = numpy.load(WORK / f"{network}.npy")
        for place, x in enumerate(inputs):
            self.array("input", request, place, x.shape)[:] = x
        self.call = functools.partial(self.library.ov_infer_request_infer, request)
        self.result = functools.partial(self.array, "output", request, 0, expected.shape)

    def check(self, function, *arguments):
        status = getattr(self.library, f"ov_{function}")(*arguments)
        assert status == 0, f"{function} {status}"

    def array(self, side, request, place, shape):
        """The array of one of the request's inputs or outputs, in place."""
        import numpy
        tensor, data = ctypes.c_void_p(), ctypes.POINTER(ctypes.c_float)()
        self.check(f"infer_request_get_{side}_tensor_by_index", request, ctypes.c_size_t(place), ctypes.byref(tensor))
        self.check("tensor_data", tensor, ctypes.byref(data))
        return numpy.ctypeslib.as_array(data, shape)


class Ncnn:
    name = "ncnn"

    def load(self, network, threads, inputs):
        import ncnn
        import numpy
        import torch
        folder = WORK / f"ncnn.{network}"
        if not (folder / "m.ncnn.param").exists():
            folder.mkdir(exist_ok=True)
            arrays = tuple(map(torch.from_numpy, inputs))
            torch.jit.trace(module_of(network), arrays).save(folder / "m.pt")
            shape = ",".join(str(list(x.shape)).replace(" ", "") for x in inputs)
            pnnx = pathlib.Path(sys.executable).parent / "pnnx"
            subprocess.run([pnnx, "m.pt", f"inputshape={shape}", "fp16=0"], cwd=folder, check=True,
                           capture_output=True, timeout=600)
            (folder / "m.pt").unlink()
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage",
                       "use_bf16_packed", "use_int8_inference"):
            if hasattr(self.net.opt, option):
                setattr(self.net.opt, option, False)
        self.net.load_param(str(folder / "m.ncnn.param"))
        self.net.load_model(str(folder / "m.ncnn.bin"))
        self.inputs = [ncnn.Mat(numpy.ascontiguousarray(x[0])).clone() for x in inputs]

    def call(self):
        with self.net.create_extractor() as extractor:
            for place, x in enumerate(self.inputs):
                extractor.input(f"in{place}", x)
            self.output = extractor.extract("out0")[1]

    def result(self):
        return self.output.numpy()


class TorchCompile:
    name = "torch.compile"

    def load(self, network, threads, inputs):
        import torch
        import torch._inductor.config
        torch._inductor.config.freezing = True
        torch.set_num_threads(threads)
        self.torch, self.model = torch, torch.compile(module_of(network))
        self.inputs = [torch.from_numpy(x) for x in inputs]
        self.call()

    def call(self):
        with self.torch.no_grad():
            self.output = self.model(*self.inputs)

    def result(self):
        return (self.output[0] if isinstance(self.output, tuple) else self.output).numpy()


class LiteRt:
    """The same architectures built in Keras, with weights of their own: only times compare. In an
    environment of its own (LITERT_PYTHON), since tensorflow wants other versions than torch."""
    name = "LiteRT"
    comparable = False

    def load(self, network, threads, inputs):
        import litert_models
        import numpy
        path = WORK / f"litert.{network}.tflite"
        if not path.exists():
            path.write_bytes(litert_models.convert(network))
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(str(path), num_threads=threads)
        self.interpreter.allocate_tensors()
        place = self.interpreter.get_input_details()[0]
        x, = inputs
        image = numpy.moveaxis(x, 1, -1) if x.ndim == 4 else x
        self.interpreter.set_tensor(place["index"], numpy.ascontiguousarray(image).reshape(place["shape"]))
        self.call = self.interpreter._interpreter.Invoke

    def result(self):
        return self.interpreter.get_tensor(self.interpreter.get_output_details()[0]["index"])


SYSTEMS = {"netc": Netc, "ort": OnnxRuntime, "openvino": OpenVino, "ncnn": Ncnn, "litert": LiteRt,
           "inductor": TorchCompile}
