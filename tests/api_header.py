#!/usr/bin/env python3
"""The header of the library is C89 to C23 and C++, also beside that of the runtime; and the shared
library exports the functions it declares, and nothing else.
api_header.py HEADER LIBRARY RUNTIME-FOLDER"""
import pathlib
import re
import subprocess
import sys

header, library, runtime = map(pathlib.Path, sys.argv[1:])
failed = []

both = f'#include "{header}"\n#include "netc_runtime.h"\n'
for compiler, language, standards in (("gcc", "c", ("c89", "c99", "c11", "c2x")),
                                      ("g++", "c++", ("c++98", "c++17", "c++2b"))):
    for standard in standards:
        check = subprocess.run([compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic",
                                "-Werror", "-fsyntax-only", f"-I{runtime}", "-x", language, "-"],
                               input=both, text=True, check=False)
        if check.returncode != 0:
            failed.append(f"{header} is not {standard}")

declared = set(re.findall(r"^NETC_API [^;(]*?(\w+)\(", header.read_text(), re.M))
symbols = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                         check=True).stdout
exported = {line.split()[2].split("@")[0] for line in symbols.splitlines()}
failed += [f"{name} is declared but not exported" for name in sorted(declared - exported)]
failed += [f"{name} is exported but not declared" for name in sorted(exported - declared)]

for problem in failed:
    print(problem)
print(f"{len(declared)} functions, {len(failed)} problems")
sys.exit(1 if failed or len(declared) < 10 else 0)
