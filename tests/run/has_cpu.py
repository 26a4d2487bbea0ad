#!/usr/bin/env python3
"""has_cpu.py CPU COMMAND...: runs the command if this machine has the instructions of CPU, else
exits with 77, which ctest shows as skipped."""
import os
import sys

NEEDS = {
    "x86-64": {"sse2"},
    "haswell": {"avx2", "fma", "bmi2"},
    "skylake-avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "fma"},
}
with open("/proc/cpuinfo", encoding="utf-8") as file:
    flags = next((line.split(":")[1].split() for line in file if line.startswith("flags")), [])
missing = NEEDS[sys.argv[1]] - set(flags)
if missing:
    print(f"skipped: this processor has no {', '.join(sorted(missing))}")
    sys.exit(77)
os.execvp(sys.argv[2], sys.argv[2:])
