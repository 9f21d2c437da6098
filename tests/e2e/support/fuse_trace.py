"""Which requests the kernel sends to a mount, as its own trace tells them."""

import contextlib
import os
import pathlib
import re

from . import machine

INSTANCES = pathlib.Path("/sys/kernel/tracing/instances")
EVENT = pathlib.Path("events/fuse/fuse_request_send")
CALL = re.compile(r"\(FUSE_(\w+)\)")


class FuseTrace:
    """Of one mount, from the beginning of the block on. `counts()`: {"LOOKUP": 3, ...}"""

    def __init__(self, path):
        self._connection = os.minor(os.stat(path).st_dev)
        self._instance = INSTANCES / f"prefixfs-e2e-{os.getpid()}"

    def __enter__(self):
        self._instance.mkdir()
        (self._instance / EVENT / "filter").write_text(f"connection == {self._connection}")
        (self._instance / EVENT / "enable").write_text("1")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            (self._instance / EVENT / "enable").write_text("0")
        self._instance.rmdir()

    def counts(self):
        found = {}
        for call in CALL.findall((self._instance / "trace").read_text()):
            found[call] = found.get(call, 0) + 1
        return found


def require_fuse_trace():
    machine.require_root()
    if not (INSTANCES.parent / EVENT).exists():
        machine.skip("the kernel's trace has no requests of FUSE")
    if not os.access(INSTANCES, os.W_OK):
        machine.skip("no right to trace")
