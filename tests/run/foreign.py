#!/usr/bin/env python3
"""The numeric test on a machine that has to be emulated:

    foreign.py NUMERIC COMPILER EMULATOR SOURCES FOLDER TRIPLE CPU FILE.net...

Writes each network's object and data with NUMERIC, links all of them with foreign.c by COMPILER,
runs that under EMULATOR, and lets NUMERIC compare the results with the reference."""
import os
import shlex
import shutil
import subprocess
import sys

numeric, compiler, emulator, sources, folder, triple, cpu, *networks = sys.argv[1:]
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
target = [numeric, "--target", triple] + (["--cpu", cpu] if cpu else [])
names = subprocess.run(target + ["--write", folder] + networks, check=True, text=True,
                       stdout=subprocess.PIPE).stdout.split()
table = os.path.join(folder, "table.c")
with open(table, "w", encoding="utf-8") as file:
    file.write('typedef void Network(const float *const *, float *const *, const void *, void *);\n')
    for name in names:
        file.write(f"extern Network {name};\n")
    file.write("const struct { const char *name; Network *network; } foreign_cases[] = {\n")
    for name in names:
        file.write(f'    {{"{name}", {name}}},\n')
    file.write("    {0, 0},\n};\n")
program = os.path.join(folder, "foreign")
subprocess.run([compiler, "-D_GNU_SOURCE", "-O1", "-static", "-o", program, table]
               + [os.path.join(sources, name) for name in ("foreign.c", "guarded.c")]
               + [os.path.join(folder, f"{name}.o") for name in names], check=True)
subprocess.run(shlex.split(emulator) + [program, folder], check=True)
sys.exit(subprocess.run(target + ["--check", folder] + networks).returncode)
