"""Shared mappings without a descriptor of their own (Python's mmap keeps one, whose close would be one more close of the file), and fallocate."""

import ctypes
import mmap
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64]
_libc.msync.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
_MAP_FAILED = ctypes.c_void_p(-1).value
_MS_SYNC = 4

PAGE = mmap.PAGESIZE
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 0x01, 0x02, 0x10


def _failed():
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


class Mapping:
    """The first `length` bytes of a file. Who touches a page that begins behind the end of the file dies of SIGBUS."""

    def __init__(self, descriptor, length, writable):
        self.length, self.writable = length, writable
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        self._address = _libc.mmap(None, length, protection, mmap.MAP_SHARED, descriptor, 0)
        if self._address == _MAP_FAILED:
            raise _failed()

    def read(self, offset, size):
        return ctypes.string_at(self._address + offset, size)

    def write(self, offset, data):
        ctypes.memmove(self._address + offset, data, len(data))

    def sync(self):
        if _libc.msync(self._address, self.length, _MS_SYNC) != 0:
            raise _failed()

    def close(self):
        if _libc.munmap(self._address, self.length) != 0:
            raise _failed()


def fallocate(descriptor, mode, offset, length):
    if _libc.fallocate(descriptor, mode, offset, length) != 0:
        raise _failed()
