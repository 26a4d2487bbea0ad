"""Compiles to a pipe that is read slowly, on a terminal and with standard error in a file: the line
of progress is on the terminal only, and gone at the end.  slow_reader.py NETC ARGUMENT..."""
import os
import pty
import subprocess
import sys
import threading
import time

FIFO = "weights.pipe"


def read_slowly():
    with open(FIFO, "rb") as pipe:
        pipe.read(100_000)
        time.sleep(1.5)
        while pipe.read(1 << 20):
            pass


def compile_to_pipe(error):
    reader = threading.Thread(target=read_slowly)
    reader.start()
    status = subprocess.run([*sys.argv[1:], f"--output={FIFO}"], stderr=error, check=False).returncode
    reader.join()
    return status


os.mkfifo(FIFO)
master, slave = pty.openpty()
assert compile_to_pipe(slave) == 0
shown = os.read(master, 65536).decode()
assert "% of 16 MB written" in shown and shown.endswith("\r\x1b[K"), repr(shown)
with open("error.txt", "wb+") as file:
    assert compile_to_pipe(file) == 0
    file.seek(0)
    assert file.read() == b""
print("shown on the terminal, not in the file")
