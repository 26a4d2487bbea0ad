#!/usr/bin/env python3
"""Times netc beside the other systems. All have the network loaded, each in a process of its own that
is stopped while it is not its turn; they take turns in rounds, since the clock of a shared machine
drifts. The rate of multiply-adds of the moment is measured in every round. Writes one line of JSON
for each network and number of threads to --results."""
import argparse
import json
import os
import select
import signal
import statistics
import subprocess
import sys

from networks import NETWORKS, WORK, prepare
from systems import SYSTEMS

HERE = os.path.dirname(os.path.abspath(__file__))


class Worker:
    """A system in its own process."""

    def __init__(self, system, network, threads):
        python = os.environ.get("LITERT_PYTHON", "") if system == "litert" else sys.executable
        self.system, self.times = system, []
        if not python:
            self.answer = {"ready": False, "why": "LITERT_PYTHON is not set"}
            return
        self.process = subprocess.Popen(
            [python, f"{HERE}/worker.py", system, network, str(threads)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=open(WORK / "errors.log", "a"), text=True, start_new_session=True)
        in_time = select.select([self.process.stdout], [], [], 600)[0]
        line = self.process.stdout.readline() if in_time else ""
        self.answer = json.loads(line or '{"ready": false, "why": "no answer"}')
        if self.answer["ready"]:
            os.killpg(self.process.pid, signal.SIGSTOP)
        else:
            self.process.kill()

    def turn(self, seconds):
        one = self.answer["one"]
        count = 1 if one > 0.5 else max(3, min(2000, int(seconds / max(one, 1e-6))))
        os.killpg(self.process.pid, signal.SIGCONT)
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        self.times += json.loads(self.process.stdout.readline())
        os.killpg(self.process.pid, signal.SIGSTOP)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def machine_rates(threads):
    """GFLOP/s of multiply-adds and GB/s of reading, measured now."""
    done = subprocess.run([WORK / "machine", str(threads)], check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def compare(network, threads, options):
    prepare(network)
    facts = json.loads((WORK / f"{network}.json").read_text())
    workers, missing = [], {}
    for system in options.systems:
        worker = Worker(system, network, threads)
        if worker.answer["ready"]:
            workers.append(worker)
        else:
            missing[system] = worker.answer["why"]
    rates = []
    for turn in range(options.rounds):
        rates.append(machine_rates(threads))
        first = turn % max(1, len(workers))
        for worker in workers[first:] + workers[:first]:
            worker.turn(options.seconds)
    for worker in workers:
        worker.stop()
    peak, bandwidth = (statistics.median(column) for column in zip(*rates))
    result = {"network": network, "threads": threads, **facts, "peak_gflops": peak, "read_gbs": bandwidth,
              "cpu": os.environ.get("BENCH_CPU", "native"), "systems": {}, "missing": missing}
    for worker in workers:
        result["systems"][worker.system] = {
            "median_ms": statistics.median(worker.times) / 1e6, "best_ms": min(worker.times) / 1e6,
            "runs": len(worker.times), "load_s": worker.answer["load"], "error": worker.answer["error"]}
    return result


def show(result):
    systems = result["systems"]
    others = [entry["median_ms"] for system, entry in systems.items() if system != "netc"]
    print(f"{result['network']}, {result['threads']} thread(s); multiply-adds {result['peak_gflops']:.0f} GFLOP/s, "
          f"reading {result['read_gbs']:.1f} GB/s", flush=True)
    for system, entry in sorted(systems.items(), key=lambda item: item[1]["median_ms"]):
        ratio = entry["median_ms"] / min(others, default=entry["median_ms"])
        share = 2e-6 * result["macs"] / entry["median_ms"] / result["peak_gflops"]
        error = "not comparable" if entry["error"] is None else f"error {entry['error']:.1e}"
        print(f"  {SYSTEMS[system].name:14} {entry['median_ms']:10.4f} ms  x{ratio:6.2f}  {share:7.1%} of peak  {error}",
              flush=True)
    for system, why in result["missing"].items():
        print(f"  {SYSTEMS[system].name:14} {why}", flush=True)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--networks", default=",".join(NETWORKS))
    words.add_argument("--threads", default="1,2")
    words.add_argument("--systems", default=",".join(SYSTEMS))
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--seconds", type=float, default=0.4, help="of one turn")
    words.add_argument("--results", default=str(WORK / "results.jsonl"))
    options = words.parse_args()
    options.systems = options.systems.split(",")
    for network in options.networks.split(","):
        for threads in map(int, options.threads.split(",")):
            result = compare(network, threads, options)
            show(result)
            with open(options.results, "a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")


main()
