"""How long programs wait when the worker of a mount is killed: the longest call around each kill, of those that need nothing of S3; others run beside."""

import os
import signal
import statistics
import threading
import time

from processes import until
from tools import Mount

BYTES = 4096
LIVES_SECONDS = 1.2  # a worker that dies within its first second is followed by the next one only after a pause


class Caller(threading.Thread):
    """Makes one call after another. `longest`: of those that have ended since forget(); `local`: S3 is not asked for them."""

    def __init__(self, call, local):
        super().__init__(daemon=True)
        self.local = local
        self.call, self.calls, self.longest, self.problem, self.stopping = call, 0, 0.0, None, False

    def run(self):
        try:
            while not self.stopping:
                began = time.monotonic()
                self.call()
                self.longest = max(self.longest, time.monotonic() - began)
                self.calls += 1
        except OSError as error:
            self.problem = error

    def forget(self):
        self.longest = 0.0


def _callers(path):
    written = os.open(path / "written", os.O_WRONLY | os.O_CREAT)
    read = os.open(path / "read", os.O_RDONLY)
    block = os.urandom(BYTES)

    def save():
        (path / "saved.tmp").write_bytes(block)
        os.rename(path / "saved.tmp", path / "saved")

    return [Caller(lambda: os.pwrite(written, block, 0), local=True), Caller(lambda: os.fstat(written), local=True),
            Caller(lambda: os.pread(read, BYTES, 0), local=True), Caller(lambda: os.listdir(path), local=False), Caller(save, local=False)]


def _pause_of_one_kill(process, callers):
    worker = process.pids()[1]
    calls = [caller.calls for caller in callers]
    for caller in callers:
        caller.forget()
    os.kill(worker, signal.SIGKILL)
    # Two calls of each: the first may have ended before the kill was felt.
    until(lambda: any(caller.problem for caller in callers) or all(caller.calls >= before + 2 for caller, before in zip(callers, calls)), 60,
          "programs go on after the worker was killed")
    until(lambda: process.pids()[1:] not in ([], [worker]), 60, "there is another worker")
    return max(caller.longest for caller in callers if caller.local)


def measure(tool, endpoint, directory, kills):
    """Seconds for each kill, up to the first error that a program saw; and that one."""
    endpoint.fill([(f"{tool.prefix}/", b""), (f"{tool.prefix}/read", bytes(BYTES))])
    with Mount(tool, endpoint, directory) as mount:
        callers = _callers(mount.path)
        for caller in callers:
            caller.start()
        pauses = []
        try:
            while len(pauses) < kills and not any(caller.problem for caller in callers):
                time.sleep(LIVES_SECONDS)
                pauses.append(_pause_of_one_kill(mount.process, callers))
        finally:
            for caller in callers:
                caller.stopping = True
            for caller in callers:
                caller.join(60)
        return pauses, next((caller.problem for caller in callers if caller.problem), None)


def sentence(tool, pauses, problem):
    return (f"- {tool.name}: {len(pauses)} workers killed under load; programs waited {statistics.median(pauses) * 1e3:.0f} ms in the median, "
            f"{max(pauses) * 1e3:.0f} ms at most, and saw {f'an error: {problem}' if problem else 'no error'}")
