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
    from networks import WORK, inputs_of
    from systems import SYSTEMS
    subject = SYSTEMS[system]()
    begin = time.time()
    inputs, expected = inputs_of(network), numpy.load(WORK / f"{network}.npy")
    subject.load(network, threads, inputs)
    loaded = time.time() - begin
    subject.call()
    actual = numpy.array(subject.result()).ravel()
    begin = time.time()
    subject.call()
    one = time.time() - begin
    error = None
    if getattr(subject, "comparable", True):
        error = float(abs(actual - expected.ravel()).max() / abs(expected).max())
    say({"ready": True, "load": loaded, "one": one, "error": error})
except BaseException as problem:  # whatever it is, the others go on
    say({"ready": False, "why": f"{type(problem).__name__}: {str(problem)[:400]}"})
    sys.exit(0)
gc.disable()
call = subject.call
for line in sys.stdin:
    times = []
    for _ in range(3 if one < 0.05 else 1):
        call()  # refills the caches after the other systems' turns
    for _ in range(int(line)):
        begin = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - begin)
    say(times)
