"""A program that runs beside the tests, with its output in a file."""

import os
import signal
import socket
import subprocess

from .wait import until


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


class Process:
    """Ends by its pid alone: SIGTERM, then SIGKILL after `grace` seconds."""

    def __init__(self, command, log_path, environment=None, cwd=None):
        self.command = [str(word) for word in command]
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self._popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=cwd)

    @property
    def pid(self):
        return self._popen.pid

    @property
    def status(self):
        """Exit status, negative for a signal; None while it runs."""
        return self._popen.poll()

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def signal(self, number):
        if self.status is None:
            os.kill(self.pid, number)

    def wait(self, timeout=10):
        return self._popen.wait(timeout)

    def stop(self, grace=10):
        self.signal(signal.SIGTERM)
        try:
            return self.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.status

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def wait_until(self, condition, what, timeout=10):
        def ready():
            if self.status is not None:
                raise AssertionError(f"{self.command[0]} ended with status {self.status}:\n{self.log()}")
            return condition()

        until(ready, timeout, f"{what}\n{self.log()}")
