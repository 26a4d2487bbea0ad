"""lit: a test is a .net (or .test) file with RUN lines; its expected text stands beside the input."""
import os

import lit.formats

config.name = "netc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".net", ".test"]
config.excludes = ["run", "rubric", "unit", "fuzz", "package", "Inputs"]
config.test_source_root = os.path.dirname(__file__)

tools = config.llvm_tools_dir
config.environment["PATH"] = os.pathsep.join([tools, os.environ["PATH"]])
config.environment["LC_ALL"] = "C.UTF-8"
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions += [
    ("%netc", os.path.join(config.netc_binary_dir, "netc")),
    ("%runtime", os.path.join(config.netc_source_dir, "runtime")),
    ("%examples", os.path.join(config.netc_source_dir, "examples")),
    ("%python", config.python),
    ("FileCheck", os.path.join(tools, "FileCheck")),
]
