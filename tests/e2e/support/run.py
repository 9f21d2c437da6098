"""Starting prefixfs as an administrator does, and what it says when it cannot."""

import os
import pathlib
import subprocess

from . import paths
from .wait import until


def run_prefixfs(*arguments, environment=None, timeout=30, program=None, **more):
    """The finished process; its environment has nothing but PATH, HOME and what is given."""
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **(environment or {})}
    return subprocess.run([str(program or paths.PREFIXFS), *map(str, arguments)], env=clean, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, **more)


def daemons_of(path):
    """The pids of the prefixfs processes that were told to mount at `path`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if os.fsencode(path) in words and b"prefixfs" in words[0] and state != "Z":
                found.append(int(entry.name))
    return found


def wait_for_end(path, timeout=15):
    until(lambda: not daemons_of(path), timeout, f"the daemon of {path} ends")
