"""A real mount: the daemon (a supervisor and its worker) in the foreground, its log in a file, and an end in every case."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

from . import paths
from .process import Process
from .wait import until

_LIVE = set()


def mounted_at(path):
    """Without a system call on the mount itself, which could wait."""
    escaped = str(path).replace(" ", "\\040")
    with open("/proc/self/mountinfo") as table:
        return any(line.split()[4] == escaped for line in table)


def unmount(path, lazy=False):
    """True when it is not mounted afterwards."""
    if os.geteuid() == 0:
        command = ["umount"] + (["-l"] if lazy else [])
    else:
        command = ["fusermount3", "-uz" if lazy else "-u"]
    subprocess.run(command + [str(path)], capture_output=True, timeout=60)
    return not mounted_at(path)


def kill_all():
    """For the watchdog: every waiting system call on a mount ends with an error once its daemon is dead."""
    for mount in list(_LIVE):
        with contextlib.suppress(Exception):
            mount.kill_processes()


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def status_number(pid, field):
    """A line of /proc/PID/status."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise AssertionError(f"no {field}")


def status_bytes(pid, field):
    return status_number(pid, field) * 1024


class MountFailed(Exception):
    def __init__(self, status, log):
        super().__init__(f"prefixfs ended with status {status}:\n{log}")
        self.status, self.log = status, log


class Mount:
    """`options`: -o words, as keywords or flags (ro=True); `environment`: besides PATH, HOME and the keys."""

    def __init__(self, source, directory, endpoint=None, access=None, secret=None, options=None, environment=None):
        self.source = source
        self.directory = pathlib.Path(directory)
        self.path = self.directory / "mnt"
        self.cache_dir = self.directory / "cache"
        home = self.directory / "home"
        for made in (self.path, home):
            made.mkdir(parents=True, exist_ok=True)
        self.options = {"cache_dir": str(self.cache_dir), **({"endpoint": endpoint} if endpoint else {}), **(options or {})}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
        if access:
            self.environment |= {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1"}
        self.environment |= environment or {}
        self.process = None
        self.wrapper = []  # a program that starts it, with its arguments

    def __truediv__(self, name):
        return self.path / name

    def words(self):
        """The -o list; commas in values are escaped."""
        return ",".join(name if value is True else f"{name}={value}".replace(",", "\\,")
                        for name, value in self.options.items() if value is not False and value is not None)

    def command(self):
        return [*self.wrapper, paths.PREFIXFS, self.source, self.path, "-f", "-o", self.words()]

    def start(self, timeout=20):
        self.process = Process(self.command(), self.directory / "prefixfs.log", self.environment)
        _LIVE.add(self)

        def ready():
            if self.process.status is not None:
                raise MountFailed(self.process.status, self.log())
            return mounted_at(self.path)

        try:
            until(ready, timeout, f"{self.source} is mounted at {self.path}\n{self.log()}")
        except BaseException:
            self.stop()
            raise
        return self

    def wait_connected(self, timeout=20):
        """Until the daemon's own first questions to S3 are answered, so that they are not taken for a test's."""
        until(lambda: "S3 answers" in self.log(), timeout, "the daemon reaches S3")
        return self

    def log(self):
        log = self.directory / "prefixfs.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def stop(self, timeout=30):
        """Unmounts, waits for the daemon to finish, and returns its exit status."""
        if mounted_at(self.path) and not unmount(self.path):
            unmount(self.path, lazy=True)
        status = None
        if self.process is not None:
            try:
                status = self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill_processes()
                raise AssertionError(f"the daemon did not end within {timeout} s of umount:\n{self.log()}") from None
            finally:
                _LIVE.discard(self)
        return status

    def workers(self):
        """The pid of the process that serves; between two of them none."""
        try:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [int(child) for child in children if alive(child)]

    def worker(self):
        return until(self.workers, 10, "there is a worker")[0]

    def kill_worker(self):
        """kill -9 of the process that serves. Another one takes over."""
        pid = self.worker()
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_processes(self):
        """kill -9 of all there is, so that nobody takes over and nobody ends in order."""
        workers = self.workers()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        self.process.kill()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(alive, workers)), 10, "the worker is dead")

    def kill(self):
        """kill -9, and what an administrator does then."""
        self.kill_processes()
        _LIVE.discard(self)
        if mounted_at(self.path):
            unmount(self.path, lazy=True)

    def remount(self, cold=False):
        """`cold`: without what it had cached."""
        self.stop()
        if cold:
            shutil.rmtree(self.cache_dir, ignore_errors=True)
        return self.start()

    def start_again_at_once(self):
        """umount, and the next daemon before the first one has ended."""
        before = self.process
        assert unmount(self.path)
        self.start()
        assert before.wait(30) == 0

    def kept_files(self):
        """The contents of all files in the cache directory, for "the bytes are kept"."""
        return [path.read_bytes() for path in self.cache_dir.rglob("*") if path.is_file() and path.stat().st_size < (64 << 20)]

    def memory_bytes(self):
        """Resident size of the process that serves."""
        return status_bytes(self.worker(), "VmRSS")

    def peak_memory_bytes(self):
        """The largest resident size of it so far."""
        return status_bytes(self.worker(), "VmHWM")
