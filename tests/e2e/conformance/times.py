"""Which times a call changes. Files are given old times first, so that nobody waits for a clock."""

import os
import time

OLD = 1_000_000_000_123_456_789  # nanoseconds
_REALTIME_COARSE = 5  # CLOCK_REALTIME_COARSE, which Python does not name


def tick():
    """Until the clock of the file system (a few milliseconds a step) shows another time."""
    before = time.clock_gettime_ns(_REALTIME_COARSE)
    while time.clock_gettime_ns(_REALTIME_COARSE) == before:
        time.sleep(0.001)


def _times(path, follow, words):
    seen = os.stat(path) if isinstance(path, int) else os.stat(path, follow_symlinks=follow)
    return {word: getattr(seen, f"st_{word}_ns") for word in words}


def age(path, follow=True):
    """atime and mtime become OLD."""
    if isinstance(path, int):
        os.utime(path, ns=(OLD, OLD))
    else:
        os.utime(path, ns=(OLD, OLD), follow_symlinks=follow)


def changes(path, call, then=None, follow=True, words=("mtime", "ctime")):
    """Which of its times are those of the call afterwards. `path` and `then`, where it is afterwards, are paths or descriptors."""
    age(path, follow)
    before = _times(path, follow, words)
    tick()
    started = time.time_ns()
    call()
    after = _times(path if then is None else then, follow, words)
    changed = {word for word in words if after[word] != before[word]}
    for word in changed:
        # Clocks of file systems show the beginning of a step.
        if not started - 20_000_000 <= after[word] <= time.time_ns():
            raise AssertionError(f"{word} is now {after[word]}, which is not the time of the call ({started})")
    return changed


def reads(path, call, follow=True):
    """As changes(), of atime alone."""
    return bool(changes(path, call, follow=follow, words=("atime",)))
