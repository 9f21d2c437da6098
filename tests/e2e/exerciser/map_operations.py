"""Shared mappings: held over other operations, for one alone, and such that outlive their descriptor."""

import os

from model.checks import Skip, attempt

from .data_operations import read_at
from .mapping import PAGE, Mapping


class MappedPair:
    def __init__(self, pair, length):
        self.length, self.writable = length, pair.readable and pair.writable
        self.ours, self.theirs = Mapping(pair.ours, length, self.writable), Mapping(pair.theirs, length, self.writable)

    def write(self, offset, data):
        self.ours.write(offset, data)
        self.theirs.write(offset, data)

    def close(self):
        self.ours.close()
        self.theirs.close()


class MapOperations:
    def _mapped(self, pair):
        size = self.twins.size()
        if not pair.readable or size == 0:
            raise Skip  # EACCES, EINVAL
        return MappedPair(pair, -(-size // PAGE) * PAGE)

    def do_map(self, op):
        if op["mapping"] in self.twins.mappings:
            self.do_unmap(op)
        self.twins.mappings[op["mapping"]] = self._mapped(self.twins.pair(op["slot"]))

    def _named(self, name):
        if name not in self.twins.mappings:
            raise Skip
        return self.twins.mappings[name]

    def _range(self, mapped, op):
        """Where the operation is when it is moved to what may be touched: within the mapping, and within the file as both see it."""
        self.twins.both("size before a mapping is used", lambda path: os.stat(path).st_size)
        length = min(mapped.length, self.twins.size())
        if length == 0:
            raise Skip
        begin = op["offset"] % length
        return begin, min(length, begin + op["size"])

    def do_map_write(self, op):
        if op["mapping"] in self.twins.mappings:
            self._write_mapped(self.twins.mappings[op["mapping"]], op)
            return
        mapped = self._mapped(self.twins.pair(op["slot"]))
        try:
            self._write_mapped(mapped, op)
        finally:
            mapped.close()

    def _write_mapped(self, mapped, op):
        if not mapped.writable:
            raise Skip
        begin, end = self._range(mapped, op)
        mapped.write(begin, self.twins.stock.piece(op["tag"], op["size"], begin)[:end - begin])
        self.twins.changed()
        if op["sync"]:
            self._sync(mapped)
        if op["read_back"]:
            self._read_through_descriptor(begin, end)

    def _read_through_descriptor(self, begin, end):
        for pair in self.twins.slots.values():
            if pair.readable:
                self.twins.both("read of what a mapping wrote", lambda descriptor: read_at(descriptor, begin, end - begin), pair)
                return

    def _sync(self, mapped):
        self.twins.must_be_equal("msync", attempt(mapped.ours.sync), ("value", None))
        # Of a read-only mapping the kernel tells nobody; and what was written behind the end of this one through another may still be the kernel's.
        if mapped.writable and mapped.length >= self.twins.size():
            self.twins.committed("msync")

    def do_map_read(self, op):
        held = self.twins.mappings.get(op["mapping"])
        mapped = held or self._mapped(self.twins.pair(op["slot"]))
        try:
            begin, end = self._range(mapped, op)
            got, expected = mapped.ours.read(begin, end - begin), mapped.theirs.read(begin, end - begin)
            self.twins.must_be_equal(f"mapped read at {begin} of {end - begin} bytes", ("value", got), ("value", expected), begin)
        finally:
            if not held:
                mapped.close()

    def do_map_sync(self, op):
        self._sync(self._named(op["mapping"]))

    def do_unmap(self, op):
        mapped = self._named(op["mapping"])
        del self.twins.mappings[op["mapping"]]
        mapped.close()
        if self.twins.holders() == 0:
            self.twins.stored_by_its_end("munmap")

    def do_map_late(self, op):
        pair = self.twins.pair(op["slot"])
        if not (pair.readable and pair.writable):
            raise Skip
        slot = next(slot for slot, held in self.twins.slots.items() if held is pair)
        mapped = self._mapped(pair)
        self.twins.mappings["late"] = mapped
        try:
            self.close(slot)
            self._write_mapped(mapped, op)
        finally:
            self.do_unmap({"mapping": "late"})
        self.twins.whole_must_be_equal("file, read after munmap")
