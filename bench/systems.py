"""The systems that are compared. Each has `name` and

    load(network, threads)   makes it ready
    run(x)                   numpy in, numpy out: the call that is timed

Settings are those that make each fastest for one sample in f32."""
import os
import pathlib
import re
import subprocess
import sys
import time

from networks import NETC, NETWORKS, ROOT, WORK, input_of, module_of

PAGE = 4096
LARGE = 16 << 20  # bytes of weights


class Netc:
    """Small weights are in the object, large ones are loaded from a file by netc's runtime."""
    name = "netc"

    def load(self, network, threads):
        import ctypes
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
        self.function = getattr(library, entry.network)
        arena = re.search(r"_ARENA_BYTES (\d+)", pathlib.Path(f"{stem}.h").read_text())
        expected = numpy.load(WORK / f"{network}.npy")
        self.output = numpy.empty(expected.shape, numpy.float32)
        self.arena = numpy.empty(int(arena[1]) + PAGE, numpy.uint8)
        self.rest = [ctypes.c_void_p((self.arena.ctypes.data + PAGE - 1) // PAGE * PAGE)]
        if large:
            data = (ctypes.c_void_p * 4)()  # struct netc_weights
            info = ctypes.c_char.in_dll(library, f"{entry.network}_info")
            status = library.netc_weights_load(f"{stem}.weights".encode(), ctypes.byref(info), 0, data)
            assert status == 0, status
            self.rest.insert(0, ctypes.c_void_p(data[0]))
        self.output_pointer = ctypes.c_void_p(self.output.ctypes.data)
        if shared:
            create = ctypes.CDLL("libpthreadpool.so.0").pthreadpool_create
            create.restype, create.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
            self.rest.append(ctypes.c_void_p(create(threads)))
        self.pointer = ctypes.c_void_p
        self.last = None

    def run(self, x):
        if self.last is not x:
            self.last, self.input_pointer = x, self.pointer(x.ctypes.data)
        self.function(self.input_pointer, self.output_pointer, *self.rest)
        return self.output


class OnnxRuntime:
    name = "ONNX Runtime"

    def load(self, network, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(WORK / f"{network}.onnx", options,
                                                    providers=["CPUExecutionProvider"])

    def run(self, x):
        return self.session.run(None, {"x": x})[0]


class OpenVino:
    name = "OpenVINO"

    def load(self, network, threads):
        import openvino
        model = openvino.Core().compile_model(
            WORK / f"{network}.onnx", "CPU",
            {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32",
             "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1})
        self.request, self.output = model.create_infer_request(), model.output(0)

    def run(self, x):
        return self.request.infer({0: x}, share_inputs=True, share_outputs=True)[self.output]


class Ncnn:
    name = "ncnn"

    def load(self, network, threads):
        import ncnn
        import torch
        folder = WORK / f"ncnn.{network}"
        if not (folder / "m.ncnn.param").exists():
            folder.mkdir(exist_ok=True)
            x = input_of(network)
            torch.jit.trace(module_of(network), torch.from_numpy(x)).save(folder / "m.pt")
            shape = str(list(x.shape)).replace(" ", "")
            pnnx = pathlib.Path(sys.executable).parent / "pnnx"
            subprocess.run([pnnx, "m.pt", f"inputshape={shape}", "fp16=0"], cwd=folder, check=True,
                           capture_output=True, timeout=600)
            (folder / "m.pt").unlink()
        self.ncnn, self.net = ncnn, ncnn.Net()
        self.net.opt.num_threads = threads
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage",
                       "use_bf16_packed", "use_int8_inference"):
            if hasattr(self.net.opt, option):
                setattr(self.net.opt, option, False)
        self.net.load_param(str(folder / "m.ncnn.param"))
        self.net.load_model(str(folder / "m.ncnn.bin"))

    def run(self, x):
        import numpy
        with self.net.create_extractor() as extractor:
            extractor.input("in0", self.ncnn.Mat(numpy.ascontiguousarray(x[0])).clone())
            return numpy.array(extractor.extract("out0")[1])


class TorchCompile:
    name = "torch.compile"

    def load(self, network, threads):
        import torch
        import torch._inductor.config
        torch._inductor.config.freezing = True
        torch.set_num_threads(threads)
        self.torch, self.model = torch, torch.compile(module_of(network))
        with torch.no_grad():
            self.model(torch.from_numpy(input_of(network)))

    def run(self, x):
        with self.torch.no_grad():
            return self.model(self.torch.from_numpy(x)).numpy()


class LiteRt:
    """The same architectures built in Keras, with weights of their own: only times compare. In an
    environment of its own (LITERT_PYTHON), since tensorflow wants other versions than torch."""
    name = "LiteRT"
    comparable = False

    def load(self, network, threads):
        import litert_models
        path = WORK / f"litert.{network}.tflite"
        if not path.exists():
            path.write_bytes(litert_models.convert(network))
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(str(path), num_threads=threads)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]
        self.output = self.interpreter.get_output_details()[0]["index"]
        self.last = None

    def run(self, x):
        import numpy
        if self.last is not x:
            self.last = x
            image = numpy.moveaxis(x, 1, -1) if x.ndim == 4 else x
            self.image = numpy.ascontiguousarray(image).reshape(self.input["shape"])
        self.interpreter.set_tensor(self.input["index"], self.image)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output)


SYSTEMS = {"netc": Netc, "ort": OnnxRuntime, "openvino": OpenVino, "ncnn": Ncnn, "litert": LiteRt,
           "inductor": TorchCompile}
