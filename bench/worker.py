"""One system with one network in a process of its own: worker.py SYSTEM NETWORK THREADS. Says in a
line of JSON whether it is ready; then answers each line N of its input with N times in nanoseconds."""
import gc
import json
import os
import sys
import time

system, network, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = str(threads)
os.sched_setaffinity(0, {0} if threads == 1 else {0, 1})
channel = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the systems print is no answer


def say(answer):
    channel.write(json.dumps(answer) + "\n")
    channel.flush()


try:
    import numpy
    from networks import WORK, input_of
    from systems import SYSTEMS
    subject = SYSTEMS[system]()
    begin = time.time()
    subject.load(network, threads)
    loaded = time.time() - begin
    x, expected = input_of(network), numpy.load(WORK / f"{network}.npy")
    actual = numpy.array(subject.run(x)).ravel()
    begin = time.time()
    subject.run(x)
    one = time.time() - begin
    error = None
    if getattr(subject, "comparable", True):
        error = float(abs(actual - expected.ravel()).max() / abs(expected).max())
    say({"ready": True, "load": loaded, "one": one, "error": error})
except BaseException as problem:  # whatever it is, the others go on
    say({"ready": False, "why": f"{type(problem).__name__}: {str(problem)[:400]}"})
    sys.exit(0)
gc.disable()
for line in sys.stdin:
    times = []
    for _ in range(3 if one < 0.05 else 1):
        subject.run(x)  # refills the caches after the other systems' turns
    for _ in range(int(line)):
        begin = time.perf_counter_ns()
        subject.run(x)
        times.append(time.perf_counter_ns() - begin)
    say(times)
