"""status.py EXPECTED COMMAND...: succeeds if the command exits with the status expected."""
import subprocess
import sys

status = subprocess.run(sys.argv[2:], check=False).returncode
print(f"exit status {status}, expected {sys.argv[1]}")
sys.exit(status != int(sys.argv[1]))
