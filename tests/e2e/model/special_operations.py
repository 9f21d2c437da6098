"""Symbolic links and fifos. In the reference they are contents that no file has."""

import os
import stat
from errno import EINVAL, ELOOP

from .checks import Expectation, attempt
from .file_operations import NOTHING
from .reference import FIFO, LINK, OUTSIDE, parent_of

LOOKS = 3  # what is behind a name may change between two calls


class SpecialOperations:
    def do_symlink(self, op):
        target = self.content(op["size"])
        self._make_special(op, LINK + target, lambda path: os.symlink(target, os.fsencode(path)))

    def do_mkfifo(self, op):
        self._make_special(op, FIFO, os.mkfifo)

    def _make_special(self, op, content, call):
        """As a file is made with O_EXCL."""
        host, path = op["host"], op["path"]
        ref, directory = self.reference.hosts[host], self.reference.directory(host, parent_of(path))
        seen, stored = self.reference.views(host, path), self.reference.views(OUTSIDE, path)
        expected = Expectation(f"{op['do']} of {path}").error("EEXIST", when=any(each is not None for each in seen + stored))
        expected.error("ENOENT", when=directory.may_be_absent).error("EIO", "ESTALE", when=ref.disturbed)
        if directory.may_be_there and None in (stored if ref.synchronous else seen):
            expected.value(None)
        absent = [version for version in self.reference.possible(host, path) if version.content is None]
        done, got = expected.check(attempt(call, self.world.hosts[host].path(path)))
        if done:
            self.reference.changed(host, path, content, absent[-1] if absent else NOTHING)
        else:
            self.reference.names[path].kept.append((host, content))
            if got != "ENOENT" and ref.disturbed:
                self.reference.changed(host, path, content, certain=False)

    def do_readlink(self, op):
        self.do_read(op)


UNKNOWN_KIND = "a file of mode 100644"  # as a listing alone tells of it


def read_special(path):
    """The content that the reference has for it."""
    for _ in range(LOOKS):
        try:
            return _look(path)
        except OSError as error:
            if error.errno != EINVAL:
                raise
    return _look(path)


def _look(path):
    found = os.lstat(path)
    if stat.S_ISREG(found.st_mode):  # a listing has told of it; an open finds out what it is
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != ELOOP:
                raise
        found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        return LINK + os.readlink(os.fsencode(path))
    return FIFO if stat.S_ISFIFO(found.st_mode) else f"a file of mode {found.st_mode:o}"
