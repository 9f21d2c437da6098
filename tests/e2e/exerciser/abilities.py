"""What the file systems can do, asked once at the start. What one of them cannot is left out of a plan, and the head of the report says so."""

import errno
import os

from .mapping import KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE, fallocate

REFUSALS = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
SIZE = 10_000


def _copy(descriptor):
    os.copy_file_range(descriptor, descriptor, 10, 0, SIZE)


ATTEMPTS = {
    "allocate": lambda descriptor: fallocate(descriptor, 0, 0, 2 * SIZE),
    "allocate keep_size": lambda descriptor: fallocate(descriptor, KEEP_SIZE, 0, 3 * SIZE),
    "punch": lambda descriptor: fallocate(descriptor, KEEP_SIZE | PUNCH_HOLE, 0, SIZE),
    "zero_range": lambda descriptor: fallocate(descriptor, ZERO_RANGE, 0, SIZE),
    "copy": _copy,
    "seek": lambda descriptor: os.lseek(descriptor, 0, os.SEEK_HOLE),
}


def ask(directory):
    """name -> the errno's name where it is refused, or None. Leaves nothing behind."""
    path = directory / "abilities"
    answers = {}
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, b"x" * SIZE)
        for name, attempt in ATTEMPTS.items():
            try:
                attempt(descriptor)
                answers[name] = None
            except OSError as error:
                if error.errno not in REFUSALS:
                    raise
                answers[name] = errno.errorcode[error.errno]
    finally:
        os.close(descriptor)
        os.unlink(path)
    return answers


class Abilities:
    def __init__(self, tried, oracle):
        self._refused = {name: answer or oracle[name] for name, answer in tried.items() if answer or oracle[name]}

    def has(self, name):
        return name not in self._refused

    def __str__(self):
        used = ", ".join(name for name in ATTEMPTS if self.has(name)) or "nothing more"
        refused = ", ".join(f"{name} ({answer})" for name, answer in self._refused.items())
        return f"used besides the usual calls: {used}" + (f"; not supported: {refused}" if refused else "")
