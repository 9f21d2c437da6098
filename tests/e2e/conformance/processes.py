"""Cases in other processes: with a deadline, or as another user."""

import contextlib
import errno
import os
import pickle
import resource
import select
import signal
import sys
import time
import traceback

OTHER, THIRD = 65534, 65533  # users, and groups, that own nothing


class Elsewhere(AssertionError):
    """A failure in another process; its story has the line."""

    def __init__(self, story):
        super().__init__(story)
        self.story = story


def become(uid, gid, groups=()):
    os.setgroups(list(groups))
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def story_of(error):
    """The line of the case, and what was wrong there."""
    if hasattr(error, "story"):
        return error.story
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if f"{os.sep}cases{os.sep}" in frame.filename]
    where = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}: {frames[-1].line}: " if frames else ""
    if isinstance(error, OSError) and error.errno:
        return f"{where}{errno.errorcode.get(error.errno, error.errno)}"
    return f"{where}{error if isinstance(error, AssertionError) and str(error) else repr(error)}"


def _result_of(function):
    try:
        return "value", function()
    except OSError as error:
        return "refused", error.errno, story_of(error)
    except BaseException as error:  # whatever it is, the parent must hear of it
        return "failed", story_of(error)


def _read_all(descriptor, deadline):
    collected = b""
    while select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
        part = os.read(descriptor, 1 << 16)
        if not part:
            return collected
        collected += part
    return None


def start(function):
    """(pid, descriptor): a forked process, and where its pickled result comes from."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        with contextlib.suppress(BaseException):
            os.write(writer, pickle.dumps(_result_of(function)))
        os._exit(0)
    os.close(writer)
    return pid, reader


def finish(pid, reader, seconds):
    """What the function returned, or raised (OSError as it was, anything else as Elsewhere)."""
    received = _read_all(reader, time.monotonic() + seconds)
    os.close(reader)
    if received is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)  # it may hang for good: nobody waits for it
        raise Elsewhere(f"hangs: no answer within {seconds} s")
    status = os.waitpid(pid, 0)[1]
    if not received:
        raise Elsewhere(f"the process ended with {status} and said nothing")
    kind, *what = pickle.loads(received)
    if kind == "failed":
        raise Elsewhere(what[0])
    if kind == "refused":
        error = OSError(what[0], os.strerror(what[0]))
        error.story = what[1]
        raise error
    return what[0]


def in_child(function, seconds=10):
    return finish(*start(function), seconds)


def as_user(function, uid=OTHER, gid=OTHER, groups=(), seconds=10):
    """Only for root."""
    def changed():
        become(uid, gid, groups)
        return function()

    return in_child(changed, seconds)


def with_a_limit(size, function):
    """Calls it where no file may become larger than `size`, and its signal is ignored."""
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        return function()

    return in_child(limited)


@contextlib.contextmanager
def alongside(function, seconds=10):
    """`function` runs beside the block, and must have ended well `seconds` after it."""
    pid, reader = start(function)
    try:
        yield
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.close(reader)
        os.waitpid(pid, os.WNOHANG)
        raise
    finish(pid, reader, seconds)
