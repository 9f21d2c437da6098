"""The programs of others: run to their end, or typed at on a terminal of their own."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

TIMEOUT = 90  # seconds, below that of a test


def run(*command, status=0, **more):
    """What it has printed. AssertionError with all of its output when it does not end with `status`."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=TIMEOUT, **more)
    assert done.returncode == status, f"{command}: status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def start(*command, **more):
    """A program whose end the test waits for by `finish`."""
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def finish(program, status=0):
    out, errors = program.communicate(timeout=TIMEOUT)
    assert program.returncode == status, f"{program.args}: status {program.returncode}\n{out[-2000:]}\n{errors[-2000:]}"
    return out


class Terminal:
    """with Terminal("nano", path) as terminal: terminal.expect(text); terminal.type(keys); terminal.end()"""

    def __init__(self, *command, **more):
        self._command = [str(word) for word in command]
        self._more = more
        self._shown = ""

    def __enter__(self):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        environment = {**os.environ, "TERM": "vt100", "LC_ALL": "C.UTF-8"}
        self._program = subprocess.Popen(self._command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
                                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **self._more)
        os.close(slave)
        return self

    def __exit__(self, *_):
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()
        os.close(self._master)

    def _read(self, seconds):
        """False when there is no more, or nothing within `seconds`."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the program has closed its side
            return False
        # Without what moves the cursor and sets colours.
        self._shown += re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])|\x0f|\x0e", "", data.decode(errors="replace"))
        return bool(data)

    def expect(self, text, timeout=20):
        """Waits until it shows `text` (after what was expected before)."""
        deadline = time.monotonic() + timeout
        while text not in self._shown:
            assert time.monotonic() < deadline and (self._read(1) or self._program.poll() is None), \
                f"{self._command} does not show {text!r}, but:\n{self._shown}"
        self._shown = self._shown.split(text, 1)[1]

    def type(self, keys):
        os.write(self._master, keys.encode())

    def end(self, status=0, timeout=30):
        """Waits for the program's end."""
        deadline = time.monotonic() + timeout
        while self._program.poll() is None:
            assert time.monotonic() < deadline, f"{self._command} does not end:\n{self._shown}"
            self._read(0.1)
        assert self._program.returncode == status, f"{self._command}: status {self._program.returncode}\n{self._shown}"
