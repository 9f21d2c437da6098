"""A tree as a list of what is in it: made by system calls in one place, looked at in another."""

import dataclasses
import hashlib
import os
import stat


@dataclasses.dataclass(frozen=True)
class Entry:
    """`mode` as in st_mode, with the type. `content` of a file, `target` of a link. A directory stands before what is in it."""
    name: str
    mode: int
    content: bytes = b""
    target: str = ""
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 1_600_000_000_123_456_789


@dataclasses.dataclass(frozen=True)
class Shown:
    """What programs see of it. No size of directories, which is each file system's own affair."""
    mode: str
    owner: tuple
    size: int | None
    mtime_ns: int
    holds: str | None

    @classmethod
    def of(cls, path):
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            holds = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            holds = digest(path.read_bytes())
        else:
            holds = None
        size = None if stat.S_ISDIR(status.st_mode) else status.st_size
        return cls(oct(status.st_mode), (status.st_uid, status.st_gid), size, status.st_mtime_ns, holds)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def expected(entries):
    """{name: Shown} of a place that keeps everything."""
    found = {}
    for entry in entries:
        size, holds = 0, None
        if stat.S_ISLNK(entry.mode):
            size, holds = len(os.fsencode(entry.target)), entry.target
        elif stat.S_ISREG(entry.mode):
            size, holds = len(entry.content), digest(entry.content)
        elif stat.S_ISDIR(entry.mode):
            size = None
        found[entry.name] = Shown(oct(entry.mode), (entry.uid, entry.gid), size, entry.mtime_ns, holds)
    return found


def shown(root, names):
    """{name: Shown} of a mount, where each name is looked up alone and never by a listing."""
    return {name: Shown.of(root / name) for name in names}


def make(root, entries):
    """Mode and owner are given at creation; chmod and chown come only where that is not enough, since they write their own metadata."""
    before = os.umask(0)
    try:
        for entry in entries:
            _make_one(root / entry.name, entry)
    finally:
        os.umask(before)
    for entry in reversed(entries):  # what is made in a directory may move its time
        os.utime(root / entry.name, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)


def _make_one(path, entry):
    if stat.S_ISDIR(entry.mode):
        path.mkdir(stat.S_IMODE(entry.mode))
    elif stat.S_ISLNK(entry.mode):
        os.symlink(entry.target, path)
    elif stat.S_ISREG(entry.mode):
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IMODE(entry.mode)), "wb") as file:
            file.write(entry.content)
    else:
        os.mknod(path, entry.mode)
    found = os.lstat(path)
    if (found.st_uid, found.st_gid) != (entry.uid, entry.gid):
        os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if os.lstat(path).st_mode != entry.mode:
        os.chmod(path, stat.S_IMODE(entry.mode))
