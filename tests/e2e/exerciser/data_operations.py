"""read, write, truncate, holes, copies."""

import os
import threading

from model.checks import Difference, Skip, attempt

from .content import tell
from .mapping import KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE, fallocate
from .twins import SECOND, Pair, is_mixture

BLOCK = 1 << 20


def read_at(descriptor, offset, size):
    """pread until there is nothing more."""
    blocks = []
    while size > 0 and (block := os.pread(descriptor, min(size, BLOCK), offset)):
        blocks.append(block)
        offset, size = offset + len(block), size - len(block)
    return b"".join(blocks)


def write_at(descriptor, data, offset):
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done:], offset + done)
    return done


def write_at_end(descriptor, data):
    os.lseek(descriptor, 0, os.SEEK_END)
    done = 0
    while done < len(data):
        done += os.write(descriptor, data[done:])
    return done


def copy(source, target, offset, target_offset, size):
    """What the source has at the beginning. (A copy from one file's end to just behind it would grow, byte by byte, what it has yet to copy.)"""
    size = min(size, max(os.fstat(source).st_size - offset, 0))
    done = 0
    while done < size and (count := os.copy_file_range(source, target, size - done, offset + done, target_offset + done)):
        done += count
    return done


class DataOperations:
    def _data(self, op):
        if op["size"] <= 0:
            raise Skip
        return self.twins.stock.piece(op["tag"], op["size"], op.get("offset"))

    def do_write(self, op):
        pair, data = self.twins.pair(op["slot"]), self._data(op)
        if self.twins.both("write", lambda descriptor: write_at(descriptor, data, op["offset"]), pair)[0]:
            self.twins.changed()

    def do_append(self, op):
        pair, data = self.twins.pair(op["slot"]), self._data(op)
        if self.twins.both("write at the end", lambda descriptor: write_at_end(descriptor, data), pair)[0]:
            self.twins.changed()

    def do_ftruncate(self, op):
        pair = self.twins.pair(op["slot"])
        if self.twins.both("ftruncate", lambda descriptor: os.ftruncate(descriptor, op["size"]), pair)[0]:
            self.twins.dirty, self.twins.untouched = True, op["size"] == 0 and self.twins.untouched

    def do_truncate(self, op):
        """By name: as open, ftruncate and close."""
        if self.twins.both("truncate", lambda path: os.truncate(path, op["size"]))[0]:
            if self.twins.mappings:
                self.twins.changed()  # pages that were written may follow
            else:
                self.twins.untouched = False
                self.twins.committed("truncate")

    def do_read(self, op):
        self.read(self.twins.pair(op["slot"]), op["offset"], op["size"], "read")

    def do_read_all(self, op):
        self.read(self.twins.pair(op["slot"]), 0, self.twins.size() + 10, "read of the whole")

    def read(self, pair, offset, size, what):
        got, expected = attempt(read_at, pair.ours, offset, size), attempt(read_at, pair.theirs, offset, size)
        self.twins.must_be_equal(f"{what} at {offset} of {size} bytes", got, expected, offset)

    def do_read_while_written(self, op):
        """Each byte that a read meets is the one before or the one after."""
        pair, reader, data = self.twins.pair(op["slot"]), self.twins.pair(op["reader"]), self._data(op)
        if not pair.writable or pair.appends or not reader.readable:
            raise Skip
        begin, size = max(0, op["offset"] - op["around"]), op["size"] + 2 * op["around"]
        before, meanwhile = read_at(reader.theirs, begin, size), []
        thread = threading.Thread(target=self._read_again_and_again, args=(reader.ours, begin, size, meanwhile))
        thread.start()
        try:
            self.do_write(op)
        finally:
            thread.join()
        after = read_at(reader.theirs, begin, size)
        for got in meanwhile:
            self._check_meanwhile(got, before, after, begin)

    @staticmethod
    def _read_again_and_again(descriptor, begin, size, found):
        found += [attempt(read_at, descriptor, begin, size) for _ in range(4)]

    def _check_meanwhile(self, outcome, before, after, begin):
        kind, got = outcome
        if kind != "value":
            raise Difference(f"read while it is written: {got}")
        if not len(before) <= len(got) <= len(after):
            raise Difference(f"read while it is written: {len(got)} bytes; before {len(before)}, after {len(after)}")
        if is_mixture(got, before, after) is not None:
            raise Difference(tell("read while it is written (neither as before nor as after)", got, after[:len(got)], self.twins.stock, begin))

    def do_seek(self, op):
        """What is told to be a hole reads as zeros, and what is told to be data follows it without a gap."""
        if not self.abilities.has("seek"):
            raise Skip
        pair = self.twins.pair(op["slot"])
        size, place = self.twins.size(), op["offset"]
        while place < size:
            kind, data = attempt(os.lseek, pair.ours, place, os.SEEK_DATA)
            if kind == "error" and data != "ENXIO":
                raise Difference(f"SEEK_DATA at {place}: {data}")
            data = size if kind == "error" else data
            if not place <= data <= size:
                raise Difference(f"SEEK_DATA at {place} of {size} bytes: {data}")
            self._must_be_zeros(place, data)
            if data == size:
                break
            place = os.lseek(pair.ours, data, os.SEEK_HOLE)
            if not data < place <= size:
                raise Difference(f"SEEK_HOLE at {data}, where data begins, of {size} bytes: {place}")
        for whence in (os.SEEK_DATA, os.SEEK_HOLE):
            self.twins.both("lseek behind the end", lambda descriptor: os.lseek(descriptor, size + 1, whence), pair)

    def _must_be_zeros(self, begin, end):
        with open(self.twins.paths()[1], "rb", buffering=0) as file:
            data = read_at(file.fileno(), begin, end - begin)
        if data.strip(b"\0"):
            raise Difference(f"from {begin} to {end} there is a hole, but the local file has "
                             f"{next(byte for byte in data if byte)} at {begin + next(i for i, byte in enumerate(data) if byte)}")

    def do_allocate(self, op):
        self._fallocate(op, "allocate keep_size" if op["keep_size"] else "allocate", KEEP_SIZE if op["keep_size"] else 0)

    def do_punch(self, op):
        self._fallocate(op, "punch", KEEP_SIZE | PUNCH_HOLE)

    def do_zero_range(self, op):
        self._fallocate(op, "zero_range", ZERO_RANGE | (KEEP_SIZE if op["keep_size"] else 0))

    def _fallocate(self, op, ability, mode):
        if not self.abilities.has(ability) or op["size"] <= 0:
            raise Skip
        pair, size = self.twins.pair(op["slot"]), self.twins.size()
        grows = not mode & KEEP_SIZE and op["offset"] + op["size"] > size
        zeros = mode & (PUNCH_HOLE | ZERO_RANGE) and op["offset"] < size
        done = self.twins.both(ability, lambda descriptor: fallocate(descriptor, mode, op["offset"], op["size"]), pair)[0]
        if done and (grows or zeros):  # else no byte is another one now
            self.twins.changed()

    def do_posix_fallocate(self, op):
        """Where fallocate is not supported, the C library writes zeros into what is not there."""
        pair = self.twins.pair(op["slot"])
        if op["size"] <= 0 or pair.appends or not (pair.readable and pair.writable):
            raise Skip
        if self.twins.both("posix_fallocate", lambda descriptor: os.posix_fallocate(descriptor, op["offset"], op["size"]), pair)[0]:
            self.twins.changed()

    def do_copy(self, op):
        source, target = self.twins.pair(op["source"]), self.twins.pair(op["slot"])
        self._copy("copy within the file", op, source, target)

    def do_copy_out(self, op):
        source = self.twins.pair(op["slot"])
        flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if op["anew"] else 0)
        self._with_second(flags, lambda second: self._copy("copy to the second file", op, source, second))
        self.twins.object_must_be_equal("close", SECOND)

    def do_copy_back(self, op):
        target = self.twins.pair(op["slot"])
        if not os.path.exists(self.twins.paths(SECOND)[1]):
            raise Skip
        self._with_second(os.O_RDONLY, lambda second: self._copy("copy from the second file", op, second, target))

    def _with_second(self, flags, use):
        if not self.abilities.has("copy"):
            raise Skip
        ours, theirs = (os.open(path, flags, 0o644) for path in self.twins.paths(SECOND))
        try:
            use(Pair(ours, theirs, flags))
        finally:
            os.close(ours)
            os.close(theirs)

    def _copy(self, what, op, source, target):
        if not self.abilities.has("copy") or op["size"] <= 0:
            raise Skip
        got = attempt(copy, source.ours, target.ours, op["offset"], op["target"], op["size"])
        expected = attempt(copy, source.theirs, target.theirs, op["offset"], op["target"], op["size"])
        self.twins.must_be_equal(what, got, expected)
        if got[0] == "value" and got[1] and target in self.twins.slots.values():
            self.twins.changed()
