#!/usr/bin/env python3
"""A worker process of emotion-tag that decodes nothing. The name of a file says what happens to it.

In the first attempt: crash…, stall…, memory…, refuse…, full…, killed…, chatter…, close…; always: always-…; everything else is tagged.
"""

import json
import os
import signal
import socket
import sys
import time

connection = socket.socket(fileno=os.dup(0))
messages = connection.makefile("r")


def send(message):
    connection.sendall(json.dumps(message).encode() + b"\n")


def tag(job):
    # Paths are bytes, because they need not be valid text.
    hidden = bytes(job["results"]["hidden"]["Unix"])
    name = bytes(job["input"]["name"]["Unix"]).decode()
    is_first = job["retried"] is None
    if name.startswith("always-"):
        name, is_first = name.removeprefix("always-"), True
    if is_first:
        if name.startswith("crash"):
            print("a decoder says why", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        if name.startswith("stall"):
            while True:
                # A decoder that spins still reports progress, but never more of it.
                progress = {"frames": 3, "time": 0.1, "duration": 1.0}
                send({"type": "progress", "progress": progress, "work": 3, "has_hardware_decoder": "hardware" in name})
                time.sleep(0.05)
        if name.startswith("memory"):
            eaten = bytearray(400 << 20)
            eaten[:: 4096] = b"x" * len(eaten[:: 4096])
            time.sleep(600)
        if name.startswith("refuse"):
            send({"type": "failed", "message": "there are no pictures in it", "is_temporary": False})
            return
        if name.startswith("full"):
            send({"type": "failed", "message": "no space is left", "is_temporary": True})
            return
        if name.startswith("killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("chatter"):
            connection.sendall(b"a library prints to the wrong file\n")
        if name.startswith("close"):
            connection.shutdown(socket.SHUT_RDWR)
            time.sleep(600)
    summary = {"outputs": [], "retried": job["retried"], "process": os.getpid()}
    with open(os.path.join(hidden, b"result.summary.json"), "w") as file:
        json.dump(summary, file)
    send({"type": "tagged", "suffixes": ["summary.json"], "frames": 1, "persons": 1, "duration": 0.0, "incomplete": None})


for line in messages:
    message = json.loads(line)
    if message["type"] == "setup":
        send({"type": "ready"})
    else:
        tag(message)
