"""Runs one workload on one tool, and takes the figures from the endpoint's log and from /proc."""

import contextlib
import dataclasses
import errno
import threading
import time

from endpoint import BUCKET
from processes import until
from workload import NotHere
from tools import Mount

QUIET_SECONDS = 0.3
MANY = 2_000  # objects, from which on it takes too long to put each of them
LARGE_BYTES = 32 << 20  # objects from here on are removed afterwards, so that the disk does not fill


class Wrong(Exception):
    """A call has succeeded, and what it should have done is not so."""


@dataclasses.dataclass
class Figures:
    requests: int | None = 0
    by_operation: dict = dataclasses.field(default_factory=dict)
    by_kind: dict = dataclasses.field(default_factory=dict)
    bytes_moved: int = 0
    seconds: float = 0
    stored_seconds: float | None = None
    cpu_seconds: float | None = 0
    peak_bytes: int | None = 0
    problem: str = ""
    remark: str = ""

    def count(self, record):
        self.requests += 1
        self.bytes_moved += record["bytes_in"] + record["bytes_out"]
        for counts, name in ((self.by_operation, record["operation"]), (self.by_kind, _kind(record))):
            counts[name] = counts.get(name, 0) + 1


def _kind(record):
    """The method; listings and copies, which are GETs and PUTs that cost something else, have names of their own."""
    if record["operation"].startswith("List"):
        return "LIST"
    return "COPY" if record["copy_source"] else record["method"]


def _is_whole(record, size):
    if record["status"] != 200:
        return False
    return record["operation"] == "CompleteMultipartUpload" or (record["operation"] == "PutObject" and record["bytes_in"] == size)


def _end(record):
    return record["time_ms"] / 1e3 + record["duration_us"] / 1e6


def _stored_at(log, stored):
    """Wall time at which the last of the objects `stored` (key -> size) was whole; None while one is missing."""
    ends = {}
    for record in log:
        size = stored.get(record["key"])
        if record["bucket"] == BUCKET and size is not None and _is_whole(record, size):
            ends[record["key"]] = _end(record)
    return max(ends.values()) if len(ends) == len(stored) else None


def _wait_until_stored(endpoint, stored, seconds_max):
    """Some tools upload after close()."""
    deadline = time.monotonic() + seconds_max
    while (at := _stored_at(endpoint.log(), stored)) is None:
        if time.monotonic() > deadline:
            raise RuntimeError("the objects did not reach the bucket")
        time.sleep(0.2)
    return at


def _wait_until_settled(endpoint, tool, mounts, seconds_max):
    """When the last request that changes something was answered, as wall time; None where there was none."""
    until(lambda: not any(map(tool.owes, mounts)), seconds_max, "all that is acknowledged is in the bucket")
    _wait_for_silence(endpoint)
    return max((_end(record) for record in endpoint.log() if record["method"] not in ("GET", "HEAD")), default=None)


def _wait_for_silence(endpoint):
    seen = -1
    while seen != (seen := len(endpoint.log())):
        time.sleep(QUIET_SECONDS)


def wait_until_quiet(endpoint):
    """What a mount asks for on its own is not the workload's."""
    _wait_for_silence(endpoint)
    endpoint.clear_log()


def _errno_word(error):
    same = {"ENOTSUP": "EOPNOTSUPP", "EDEADLOCK": "EDEADLK"}  # one number on Linux, under the word that manual pages use
    word = errno.errorcode.get(error.errno, str(error))
    return same.get(word, word)


def problem_of(call, *paths):
    """What is to be said of a call that fails."""
    try:
        return "", call(*paths)
    except Wrong as error:
        return f"wrong: {error}", None
    except NotHere as error:
        return f"not measured: {error}", None
    except OSError as error:
        return f"refused: {_errno_word(error)}", None
    except (RuntimeError, ValueError) as error:
        return f"fails: {str(error).splitlines()[0] if str(error) else type(error).__name__}", None


@contextlib.contextmanager
def _watched(processes, seconds, figures):
    """A system call that hangs on a mount ends with an error once the daemon is dead."""
    expired = []

    def kill():
        expired.append(True)
        for process in processes:
            process.kill()

    watchdog = threading.Timer(seconds, kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
        if expired:
            figures.problem = f"fails: not done within {seconds} s"


def _stored_seconds(step, tool, endpoint, mounts, wall):
    """Until what the step has changed was in the bucket; None where that does not count."""
    if step.stored:
        at = _wait_until_stored(endpoint, {f"{tool.prefix}/{name}": size for name, size in step.stored.items()}, step.seconds_max)
    else:
        at = _wait_until_settled(endpoint, tool, mounts, step.seconds_max) if step.settles else None
    return None if at is None else max(at - wall, 0)


def _run_step(step, tool, endpoint, mounts):
    figures, processes, paths = Figures(), [mount.process for mount in mounts], [mount.path for mount in mounts]
    with _watched(processes, step.seconds_max, figures):
        if step.before:
            figures.problem, _ = problem_of(step.before, *paths)
            if figures.problem:
                return figures
        time.sleep(step.pause_seconds)
        wait_until_quiet(endpoint)
        for process in processes:
            process.forget_peak()
        cpu, began, wall = sum(process.cpu_seconds() for process in processes), time.monotonic(), time.time()
        figures.problem, _ = problem_of(step.run, *paths)
        figures.seconds = time.monotonic() - began
        if not figures.problem:
            figures.problem, figures.stored_seconds = problem_of(_stored_seconds, step, tool, endpoint, mounts, wall)
        time.sleep(QUIET_SECONDS)
        if all(process.is_alive() for process in processes):
            figures.cpu_seconds = sum(process.cpu_seconds() for process in processes) - cpu
            figures.peak_bytes = sum(process.peak_bytes() for process in processes)
    for record in endpoint.log():
        figures.count(record)
    return figures


def _mounted(tool, endpoint, directory, name):
    return Mount(tool, endpoint, directory.with_name(f"{directory.name}-{name}"))


def _check_afterwards(workload, tool, endpoint, directory, results):
    """In a mount that knows nothing of it."""
    for step, figures in zip(workload.steps, results):
        if not step.check or figures.problem:
            continue
        with _mounted(tool, endpoint, directory, "after") as mount, _watched([mount.process], step.seconds_max, figures):
            problem, remark = problem_of(step.check, mount.path)
        figures.problem = figures.problem or problem.replace("refused: ", "wrong: afterwards ")
        figures.remark = remark or ""


def fill(workload, tool, endpoint):
    """Puts what is to be there before. The marker: s3fs mounts no prefix that has none."""
    objects = {f"{tool.prefix}/{name}": body for name, body in workload.objects.items()}
    if len(objects) >= MANY and len(set(objects.values())) == 1:
        endpoint.fill_alike(list(objects), next(iter(objects.values())))
        objects = {}
    endpoint.fill([(f"{tool.prefix}/", b""), *objects.items()])


def remove_large(workload, tool, endpoint):
    sizes = {name: len(body) for name, body in workload.objects.items()}
    for step in workload.steps:
        sizes.update(step.stored)
    endpoint.remove([f"{tool.prefix}/{name}" for name, size in sizes.items() if size >= LARGE_BYTES])


def run(workload, tool, endpoint, directory):
    """One Figures for each step."""
    try:
        fill(workload, tool, endpoint)
        if workload.earlier:
            with _mounted(tool, endpoint, directory, "before") as mount:
                problem, _ = problem_of(workload.earlier, mount.path)
                _wait_until_settled(endpoint, tool, [mount], workload.steps[0].seconds_max)
            if problem:
                return [Figures(problem=problem) for _ in workload.steps]
        with contextlib.ExitStack() as stack:
            mounts = [stack.enter_context(_mounted(tool, endpoint, directory, host)) for host in range(workload.hosts)]
            results = [_run_step(step, tool, endpoint, mounts) for step in workload.steps]
        _check_afterwards(workload, tool, endpoint, directory, results)
        return results
    except (OSError, RuntimeError) as error:
        return [Figures(problem=f"fails: {str(error).splitlines()[0]}") for _ in workload.steps]
    finally:
        remove_large(workload, tool, endpoint)
