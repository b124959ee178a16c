"""A command agent for the tests: its input says what it does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

case = json.loads(sys.stdin.readline())
asked = case["input"]
kind, _, rest = asked.partition(" ")

if kind == "echo":
    print(json.dumps({"output": {"input": case["input"], "history": case["history"]}}))
elif kind == "chatty":
    print("starting up\n{not json")
    print(json.dumps({"output": rest}))
elif kind == "pretty":
    print(json.dumps({"output": rest}, indent=2))
elif kind == "env":
    print(json.dumps({"output": dict(os.environ)}))
elif kind == "error":
    print(json.dumps({"error": {"kind": "PaymentRefused", "message": rest}}))
elif kind == "crash":
    raise RuntimeError("on purpose")
elif kind == "exit":
    sys.exit(int(rest))
elif kind == "signal":
    os.kill(os.getpid(), signal.SIGKILL)
elif kind == "silent":
    pass
elif kind == "garbage":
    print("Traceback or something: \x00\xff {")
elif kind == "list":
    print("[1, 2]")
elif kind == "flood":
    while True:
        sys.stdout.write("x" * 65536)
elif kind == "hang":
    time.sleep(600)
elif kind == "orphan":  # says in a file who it is and who started it, and hangs
    part = Path(f"{rest}.part")
    part.write_text(f"{os.getpid()} {os.getppid()}")
    part.rename(rest)
    time.sleep(600)
elif kind == "deaf":  # never reads a large input, closes its output, and goes on
    os.close(1)
    time.sleep(600)
elif kind == "family":  # leaves children that hold its output open
    code = "import time; time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code])
    print(json.dumps({"output": child.pid}))
elif kind == "reach":
    host, port = rest.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=2)
        said = "connected"
    except OSError as error:
        said = type(error).__name__
    print(json.dumps({"output": said}))
elif kind == "stderr":
    print("a note of mine", file=sys.stderr)
    print(json.dumps({"output": "ok"}))
