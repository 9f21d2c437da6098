"""The file under test and the local file beside it: each call is made on both, and must do the same."""

import os

from model.checks import Difference, Skip, attempt
from support.wait import until

from .content import first_difference, tell

FILE, SECOND = "file", "second"
NAMES = [FILE, SECOND]
STORED_SECONDS = 20


class Pair:
    """A descriptor of each, opened alike."""

    def __init__(self, ours, theirs, flags):
        self.ours, self.theirs, self.flags = ours, theirs, flags

    @property
    def readable(self):
        return self.flags & os.O_ACCMODE != os.O_WRONLY

    @property
    def writable(self):
        return self.flags & os.O_ACCMODE != os.O_RDONLY

    @property
    def appends(self):
        return bool(self.flags & os.O_APPEND)


class Twins:
    """Holds what is open, and what is known of the object: `dirty`, it need not have what the file has; `untouched`, the file was made or
    emptied, and not written since: the close of one of several descriptors need not store it."""

    def __init__(self, place, oracle, stock):
        self.place, self.oracle, self.stock = place, oracle, stock
        self.slots, self.mappings = {}, {}
        self.dirty = self.untouched = False
        self.drains = True  # with commit=journal, S3 is waited for before the object is looked at; else it is not looked at

    def paths(self, name=FILE):
        return os.path.join(self.place.path, name), os.path.join(self.oracle, name)

    def both(self, what, call, pair=None, name=FILE):
        """(True, value) or (False, errno's name) of call(descriptor or path), made on both. Raises Difference."""
        ours, theirs = (pair.ours, pair.theirs) if pair else self.paths(name)
        got, expected = attempt(call, ours), attempt(call, theirs)
        self.must_be_equal(what, got, expected)
        return got[0] == "value", got[1]

    def must_be_equal(self, what, got, expected, base=0):
        if got == expected:
            return
        if got[0] == expected[0] == "value" and isinstance(expected[1], bytes):
            raise Difference(tell(what, got[1], expected[1], self.stock, base))
        raise Difference(f"{what}: {shown(got)}, not {shown(expected)}")

    def pair(self, slot):
        """What is open there, or else in another slot. Raises Skip where nothing is."""
        if not self.slots:
            raise Skip
        return self.slots.get(slot) or next(iter(self.slots.values()))

    def size(self):
        """Of the local file; 0 where there is none."""
        found, size = attempt(lambda: os.stat(self.paths()[1]).st_size)
        return size if found == "value" else 0

    def exists(self):
        return os.path.exists(self.paths()[1])

    def holders(self):
        return len(self.slots) + len(self.mappings)

    def changed(self):
        self.dirty, self.untouched = True, False

    def committed(self, what, closed=False):
        """A close of a writable descriptor, or an fsync, has returned 0."""
        if self.untouched and closed and self.holders():
            return
        self.dirty = self.untouched = False
        self.object_must_be_equal(what)

    def stored_by_its_end(self, what):
        """No call tells when the last mapping's end has stored what it wrote, but it does."""
        self.object_must_be_equal(what, at_once=False)
        self.dirty = self.untouched = False

    def object_must_be_equal(self, what, name=FILE, at_once=True):
        """`at_once`: it was promised, so it is so now; else soon."""
        if not self.place.mounted or (self.place.journal and not self.drains):
            return
        self.place.drain()
        with open(self.paths(name)[1], "rb", buffering=0) as file:
            expected = file.readall()
        got = self.place.object(name)
        if not at_once and got != expected:
            until(lambda: self.place.object(name) == expected, STORED_SECONDS, f"after {what} the object {name} is as the local file")
        elif got is None:
            raise Difference(f"after {what} there is no object {name}")
        elif got != expected:
            raise Difference(tell(f"after {what} the object {name}", got, expected, self.stock))

    def whole_must_be_equal(self, what, name=FILE):
        """As a program that opens the file now reads it."""
        def whole(path):
            with open(path, "rb", buffering=0) as file:
                return file.readall()

        self.both(what, whole, name=name)


def shown(outcome):
    kind, got = outcome
    return f"{len(got)} bytes" if isinstance(got, bytes) else str(got)


def is_mixture(got, before, after):
    """The first place at which a read that met a write has neither what was before nor what came after; None: there is none."""
    if first_difference(got, before) is None or first_difference(got, after) is None:
        return None
    padded = before.ljust(len(after), b"\0")
    return next((place for place, byte in enumerate(got) if byte not in (padded[place], after[place])), None)
