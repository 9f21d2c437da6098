"""A process for work on a mount that may hang (then its daemon is killed, so that the calls fail) or die of a signal (then it is unmounted)."""

import contextlib
import faulthandler
import os
import pathlib
import signal
import sys
import time
import traceback

from support.mount import mounted_at, unmount
from support.run import daemons_of
from support.wait import until

STILL_SECONDS = 60  # no operation takes longer


def guarded(work, story, mount_path):
    """work() in a child; None, or what went wrong. `story`: a file that grows as long as it goes on."""
    report = pathlib.Path(f"{story}.report")
    report.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _child(work, report)
    status, hung = _wait(pid, story, mount_path)
    if status == 0 and not hung:
        return None
    said = report.read_text() if report.exists() else f"the process ended by {_reason(status)}"
    clean_up(mount_path)
    return f"no operation ended within {STILL_SECONDS} s; {said}" if hung else said


def _child(work, report):
    faulthandler.disable()  # the parent tells it
    status = 1
    try:
        work()
        status = 0
    except (AssertionError, OSError) as difference:
        report.write_text(f"{type(difference).__name__}: {difference}\n{_where(difference)}")
    except BaseException:
        report.write_text(traceback.format_exc())
    finally:
        os._exit(status)  # nothing of what the parent has is to be ended here


def _where(error):
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"at {pathlib.Path(frame.filename).name}:{frame.lineno}"


def _reason(status):
    return signal.Signals(-status).name if status < 0 else f"status {status}"


def _wait(pid, story, mount_path):
    """(exit status, whether it hung)"""
    size, since, hung = -1, time.monotonic(), False
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), hung
        now = story.stat().st_size if story.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > STILL_SECONDS:
            hung = True
            kill_daemons(mount_path)
            since = time.monotonic()
        time.sleep(0.02)


def kill_daemons(mount_path):
    for pid in daemons_of(mount_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def clean_up(mount_path):
    """The mount ends, however its process left it."""
    kill_daemons(mount_path)
    until(lambda: not daemons_of(mount_path), 10, f"the daemons of {mount_path} end")
    if mounted_at(mount_path):
        unmount(mount_path, lazy=True)
