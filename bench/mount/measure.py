"""Runs one workload on one tool, and takes the figures from the endpoint's log and from /proc."""

import dataclasses
import threading
import time

from endpoint import BUCKET
from tools import Mount

STEP_SECONDS_MAX = 900
QUIET_SECONDS = 0.3


@dataclasses.dataclass
class Figures:
    requests: int = 0
    by_operation: dict = dataclasses.field(default_factory=dict)
    seconds: float = 0
    stored_seconds: float | None = None
    cpu_seconds: float = 0
    peak_bytes: int = 0
    problem: str = ""


def _is_whole(record, size):
    if record["status"] != 200:
        return False
    return record["operation"] == "CompleteMultipartUpload" or (record["operation"] == "PutObject" and record["bytes_in"] == size)


def _stored_at(log, stored):
    """Wall time at which the last of the objects `stored` (key -> size) was whole; None while one is missing."""
    ends = {}
    for record in log:
        size = stored.get(record["key"])
        if record["bucket"] == BUCKET and size is not None and _is_whole(record, size):
            ends[record["key"]] = record["time_ms"] / 1e3 + record["duration_us"] / 1e6
    return max(ends.values()) if len(ends) == len(stored) else None


def _wait_until_stored(endpoint, stored):
    """Some tools upload after close()."""
    deadline = time.monotonic() + STEP_SECONDS_MAX
    while (at := _stored_at(endpoint.log(), stored)) is None:
        if time.monotonic() > deadline:
            raise RuntimeError("the objects did not reach the bucket")
        time.sleep(0.2)
    return at


def _wait_until_quiet(endpoint):
    """What a mount asks for on its own is not the workload's."""
    seen = -1
    while seen != (seen := len(endpoint.log())):
        time.sleep(QUIET_SECONDS)
    endpoint.clear_log()


def _run_step(step, tool, endpoint, mount):
    time.sleep(step.pause_seconds)
    _wait_until_quiet(endpoint)
    process, figures = mount.process, Figures()
    process.forget_peak()
    # A system call that hangs on the mount ends with an error once the daemon is dead.
    watchdog = threading.Timer(STEP_SECONDS_MAX, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        cpu, began, wall = process.cpu_seconds(), time.monotonic(), time.time()
        step.run(mount.path)
        figures.seconds = time.monotonic() - began
        if step.stored:
            stored = {f"{tool.prefix}/{name}": size for name, size in step.stored.items()}
            figures.stored_seconds = max(_wait_until_stored(endpoint, stored) - wall, 0)
        time.sleep(QUIET_SECONDS)
        figures.cpu_seconds = process.cpu_seconds() - cpu
        figures.peak_bytes = process.peak_bytes()
    except (OSError, RuntimeError, ValueError) as error:
        figures.problem = str(error).splitlines()[0] if str(error) else type(error).__name__
    finally:
        watchdog.cancel()
    for record in endpoint.log():
        figures.requests += 1
        figures.by_operation[record["operation"]] = figures.by_operation.get(record["operation"], 0) + 1
    return figures


def run(workload, tool, endpoint, directory):
    """One Figures for each step."""
    # The marker: s3fs mounts no prefix that has none.
    endpoint.fill([(f"{tool.prefix}/", b""), *((f"{tool.prefix}/{name}", body) for name, body in workload.objects.items())])
    try:
        with Mount(tool, endpoint, directory) as mount:
            return [_run_step(step, tool, endpoint, mount) for step in workload.steps]
    except (OSError, RuntimeError) as error:
        return [Figures(problem=str(error).splitlines()[0]) for _ in workload.steps]
