"""Handles that stay open over several operations, in slots."""

import os

from .checks import Skip

FLAGS = {"r": os.O_RDONLY, "r+": os.O_RDWR, "w": os.O_RDWR | os.O_CREAT | os.O_TRUNC, "c": os.O_RDWR | os.O_CREAT,
         "x": os.O_RDWR | os.O_CREAT | os.O_EXCL, "a": os.O_RDWR | os.O_APPEND | os.O_CREAT}


class HandleOperations:
    def do_open(self, op):
        if (op["host"], op["slot"]) in self.slots:
            self.committed(op["host"], op["slot"], close=True)
        self.opened(op["host"], op["slot"], op["path"], FLAGS[op["flags"]])

    def do_hwrite(self, op):
        _, flags = self._slot(op)
        if flags & os.O_ACCMODE == os.O_RDONLY:
            raise Skip
        self.written(op["host"], op["slot"], self.content(op["size"]), None if flags & os.O_APPEND else op["offset"])

    def do_htruncate(self, op):
        if self._slot(op)[1] & os.O_ACCMODE == os.O_RDONLY:
            raise Skip
        self.resized(op["host"], op["slot"], op["size"])

    def do_hread(self, op):
        self._slot(op)
        self.read_open(op["host"], op["slot"])

    def do_hfsync(self, op):
        self._slot(op)
        self.committed(op["host"], op["slot"], close=False)

    def do_hclose(self, op):
        self._slot(op)
        self.committed(op["host"], op["slot"], close=True)

    def _slot(self, op):
        if (op["host"], op["slot"]) not in self.slots:
            raise Skip
        return self.slots[op["host"], op["slot"]]
