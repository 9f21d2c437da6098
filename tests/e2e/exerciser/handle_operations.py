"""open, close, fsync, stat, and what happens around the file: remounts, dropped pages, another client that stores the same bytes anew."""

import os

from model.checks import Difference, Skip, attempt

from .twins import NAMES, Pair


class HandleOperations:
    def do_open(self, op):
        if op["slot"] in self.twins.slots:
            self.do_close(op)
        ours, theirs = self.twins.paths()
        flags, existed = op["flags"], self.twins.exists()
        got, expected = attempt(os.open, ours, flags, 0o644), attempt(os.open, theirs, flags, 0o644)
        if got[0] == expected[0] == "value":
            self.twins.slots[op["slot"]] = Pair(got[1], expected[1], flags)
        else:
            self.twins.must_be_equal("open", got, expected)
        if not existed or flags & os.O_TRUNC:
            self.twins.dirty = self.twins.untouched = True

    def do_close(self, op):
        self.close(op["slot"])

    def close(self, slot):
        if slot not in self.twins.slots:
            raise Skip
        pair = self.twins.slots.pop(slot)
        got, expected = attempt(os.close, pair.ours), attempt(os.close, pair.theirs)
        self.twins.must_be_equal("close", got, expected)
        if pair.writable or not self.twins.dirty:
            self.twins.committed("close", closed=True)
        elif not self.twins.holders():
            self.twins.stored_by_its_end("the last close, of one that was opened to be read")

    def do_fsync(self, op):
        pair = self.twins.pair(op["slot"])
        # The local file need not outlive anything, and its disk may be busy.
        self.twins.must_be_equal("fsync", attempt(os.fdatasync if op["data_only"] else os.fsync, pair.ours), ("value", None))
        self.twins.committed("fsync")

    def do_stat(self, op):
        if op["slot"] in self.twins.slots:
            self.twins.both("size by fstat", lambda descriptor: os.fstat(descriptor).st_size, self.twins.slots[op["slot"]])
        self.twins.both("size by stat", lambda path: os.stat(path).st_size)

    def do_dontneed(self, op):
        pair = self.twins.pair(op["slot"])
        self.twins.both("fadvise", lambda descriptor: os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED), pair)

    def close_all(self):
        for name in list(self.twins.mappings):
            self.do_unmap({"mapping": name})
        for slot in list(self.twins.slots):
            self.close(slot)

    def do_remount(self, op):
        if not self.place.mounted:
            raise Skip
        self.close_all()
        self.place.remount(op["cold"])

    def do_outside(self, _):
        """The object gets another version with the same bytes. It is seen by the next open where no freshness window hides it."""
        if not self.place.mounted or self.place.ttl != "0" or self.twins.holders() or self.twins.dirty or not self.twins.exists():
            raise Skip
        self.twins.drains = True
        self.twins.object_must_be_equal("close")
        with open(self.twins.paths()[1], "rb") as file:
            self.place.space.put("file", file.read())

    def finish(self):
        """Nothing is open any more; everybody sees the same, also without what is local."""
        self.twins.drains = True
        self.close_all()
        for name in self._present():
            self.twins.object_must_be_equal("all closes", name)
        self._compare("at the end")
        if not self.place.mounted:
            return
        self.place.check_rest(NAMES)
        self.place.remount(cold=True)
        self._compare("by a mount that knows nothing")

    def _present(self):
        return [name for name in NAMES if os.path.exists(self.twins.paths(name)[1])]

    def _compare(self, when):
        seen, expected = sorted(os.listdir(self.place.path)), self._present()
        if seen != expected:
            raise Difference(f"listed {when}: {seen}, not {expected}")
        for name in expected:
            self.twins.whole_must_be_equal(f"{name}, read {when}", name)
