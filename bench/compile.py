#!/usr/bin/env python3
"""The compiler's own speed, on one core: networks to objects with embedded weights, and what `netc
check` and `netc report` take for every network of the examples. Seconds are medians of all rounds, in
which the networks take turns; on a busy machine the processor time tells more than the wall clock.
Peak memory counts the pages of the weights file that were read."""
import argparse
import os
import re
import statistics
import subprocess
import time

from networks import NETC, NETWORKS, ROOT, WORK

# seconds, and how many times the weights the peak memory may be
TARGETS = {"resnet50": (1.0, 2), "vgg16": (3.0, 2), "question": (0.5, 2), "digits": (0.15, None)}
ANSWER = 0.02  # seconds of check and report


def measure(arguments):
    """Seconds of the wall clock and of the processor, and peak bytes."""
    begin = time.perf_counter()
    process = subprocess.Popen([NETC, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"netc {' '.join(map(str, arguments))}: exit status {process.returncode}")
    return time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def medians(samples):
    return [statistics.median(column) for column in zip(*samples)]


def source_and_weights(name):
    """The arguments that name a network and its weights, made once, and the weights' bytes."""
    if name == "digits":
        return [ROOT / "examples/digits/digits.net"], (ROOT / "examples/digits/weights.safetensors").stat().st_size
    network = NETWORKS[name]
    source = [ROOT / network.file, f"--network={network.network}"]
    weights = WORK / f"compile.{name}.safetensors"
    if not weights.exists():
        subprocess.run([NETC, "init", *source, "-o", weights], check=True)
    return [*source, f"--weights={weights}"], weights.stat().st_size


def compile_networks(cpu, rounds):
    built = WORK / "compile.o"
    sources = {name: source_and_weights(name) for name in TARGETS}
    samples = {name: [] for name in TARGETS}
    for _ in range(rounds + 1):
        for name, (source, _) in sources.items():
            built.unlink(missing_ok=True)  # to replace a file takes as long again on some file systems
            samples[name].append(measure([*source, f"--cpu={cpu}", f"--output={built}"]))
    built.unlink()
    built.with_suffix(".h").unlink()
    print("| network | weights | seconds | target | processor | MB/s | peak memory | target |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (limit, factor) in TARGETS.items():
        weights = sources[name][1] / 1e6
        wall, processor, peak = medians(samples[name][1:])  # the first one fills the caches
        most = f"{factor * weights:.0f} MB" if factor else "-"
        print(f"| {name} | {weights:.1f} MB | {wall:.2f} | {limit} | {processor:.2f} | {weights / wall:.0f} | "
              f"{peak / 1e6:.0f} MB | {most} |", flush=True)


def answer(verb, rounds):
    files = sorted((ROOT / "examples").glob("*/*.net"))
    networks = [(file, name) for file in files for name in re.findall(r"^network (\w+)", file.read_text(), re.M)]
    samples = {network: [] for network in networks}
    for _ in range(rounds):
        for file, name in networks:
            samples[file, name].append(measure([verb, file, f"--network={name}"]))
    times = sorted((*medians(samples[network])[:2], network[1]) for network in networks)
    within = sum(wall <= ANSWER for wall, _, _ in times)
    wall, processor, slowest = times[-1]
    print(f"| {verb} | {len(times)} | {within} | {statistics.median(row[0] for row in times) * 1e3:.1f} ms | "
          f"{statistics.median(row[1] for row in times) * 1e3:.1f} ms | {slowest} | {wall * 1e3:.1f} ms | "
          f"{processor * 1e3:.1f} ms |", flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--cpu", default="native")
    words.add_argument("--rounds", type=int, default=7)
    options = words.parse_args()
    os.sched_setaffinity(0, {0})
    compile_networks(options.cpu, options.rounds)
    print(f"\n| | networks | in {ANSWER * 1e3:.0f} ms | median | processor | slowest | its time | processor |")
    print("|---|---|---|---|---|---|---|---|")
    for verb in ("check", "report"):
        answer(verb, options.rounds)


main()
