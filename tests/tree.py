#!/usr/bin/env python3
"""Rules of the tree (docs/architecture.md): which folder includes which, only codegen/ sees llvm-c,
no function over 100 lines but flat tables, no file over 600.  tree.py ROOT"""
import os
import re
import sys

# folder -> folders whose headers it may include; its own are always allowed
ARROWS = {
    "support": set(),
    "syntax": {"support"},
    "graph": {"support", "syntax", "layers"},
    "layers": {"support", "graph", "kernels", "plan"},
    "weights": {"support", "graph", "layers"},
    "reference": {"support", "graph", "layers"},
    "plan": {"support", "graph", "layers", "kernels"},
    "kernels": {"support", "graph", "plan", "codegen"},
    "codegen": {"support", "graph", "plan", "kernels"},
    "output": {"support", "graph", "layers", "plan", "codegen"},
    "compilation": {"support", "syntax", "graph", "weights", "plan", "codegen", "output"},
    "lsp": {"support", "syntax", "graph", "layers", "output", "compilation"},
    "driver": {"support", "syntax", "graph", "layers", "weights", "reference", "plan", "codegen",
               "output", "compilation", "lsp"},
    "api": {"support", "graph", "codegen", "output", "compilation", "driver"},
}
# where an arrow is open for some headers only
ONLY = {
    ("graph", "layers"): {"layers/layer.h", "layers/layers.def", "layers/foreign.h"},
    ("plan", "layers"): {"layers/layer.h"},
    ("weights", "layers"): {"layers/layer.h"},
    ("plan", "kernels"): {"kernels/kernel.h"},
    ("layers", "kernels"): {"kernels/kernel.h"},
    ("kernels", "codegen"): {"codegen/ir.h"},
    ("codegen", "kernels"): {"kernels/kernel.h"},
    ("api", "driver"): {"driver/options.h"},
    ("driver", "lsp"): {"lsp/lsp.h"},
}
MAX_FILE = 600
MAX_FUNCTION = 100
root = sys.argv[1]
problems = []


def check_includes(folder, path, lines):
    for number, line in enumerate(lines, 1):
        system = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
        if system and system[1].startswith("llvm") and folder != "codegen":
            problems.append(f"{path}:{number}: only codegen/ may include {system[1]}")
        own = re.match(r'\s*#\s*include\s+"([a-z]+)/([^"]+)"', line)
        if not own or own[1] == folder or own[1] not in ARROWS:
            continue
        header = f"{own[1]}/{own[2]}"
        allowed = own[1] in ARROWS[folder] and header in ONLY.get((folder, own[1]), {header})
        if not allowed:
            problems.append(f"{path}:{number}: {folder}/ may not include {header}")


def check_lengths(path, lines):
    if len(lines) > MAX_FILE:
        problems.append(f"{path}: {len(lines)} lines, more than {MAX_FILE}")
    start = None
    for number, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z_].*\)\s*\{\s*$", line) or (line == "{" and start is None):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start > MAX_FUNCTION:
                problems.append(f"{path}:{start}: a function of {number - start} lines")
            start = None


def main():
    checked = 0
    for top in ("include", "src", "runtime", "tests", "examples"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if not name.endswith((".c", ".h", ".def")):
                    continue
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    lines = file.read().split("\n")
                shown = os.path.relpath(path, root)
                stage = os.path.basename(folder)
                if top == "src" and stage in ARROWS:
                    check_includes(stage, shown, lines)
                check_lengths(shown, lines)
                checked += 1
    for problem in problems:
        print(problem)
    print(f"{checked} files, {len(problems)} problems")
    sys.exit(1 if problems or checked < 50 else 0)


main()
