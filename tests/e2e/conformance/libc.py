"""System calls that Python's os module does not have, or not in full."""

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW = -100, 0x100, 0x400
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE = 0x01, 0x02, 0x10
EXT_MAGIC, XFS_MAGIC, BTRFS_MAGIC = 0xEF53, 0x58465342, 0x9123683E
CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x20000, 1 << 18, 1 << 14

_libc.opendir.restype = ctypes.c_void_p
_libc.readdir.restype = ctypes.c_void_p
_libc.telldir.restype = ctypes.c_long
_libc.telldir.argtypes = _libc.readdir.argtypes = _libc.closedir.argtypes = _libc.rewinddir.argtypes = [ctypes.c_void_p]
_libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
_libc.getxattr.restype = _libc.listxattr.restype = _libc.read.restype = _libc.write.restype = ctypes.c_long
_libc.getxattr.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]
_libc.listxattr.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t]
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
_libc.read.argtypes = _libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]


def _checked(result):
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def linkat(source, target, flags):
    """os.link() never gives AT_SYMLINK_FOLLOW."""
    _checked(_libc.linkat(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), flags))


def access(path, mode):
    """The errno, which os.access() does not tell; 0."""
    return ctypes.get_errno() if _libc.access(os.fsencode(path), mode) else 0


def getxattr_into(path, name, size):
    """With a buffer of this size (0: only asks); the length."""
    return _checked(_libc.getxattr(os.fsencode(path), name.encode(), ctypes.create_string_buffer(size or 1), size))


def listxattr_into(path, size):
    return _checked(_libc.listxattr(os.fsencode(path), ctypes.create_string_buffer(size or 1), size))


def fallocate(descriptor, mode, offset, length):
    _checked(_libc.fallocate(descriptor, mode, offset, length))


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def _timespecs(access, modification):
    return (Timespec * 2)(Timespec(*access), Timespec(*modification))


def utimensat(path, access, modification, flags=0, dir_fd=AT_FDCWD):
    """Times as (seconds, nanoseconds); UTIME_NOW and UTIME_OMIT stand for nanoseconds."""
    _checked(_libc.utimensat(dir_fd, os.fsencode(path), _timespecs(access, modification), flags))


def futimens(descriptor, access, modification):
    _checked(_libc.futimens(descriptor, _timespecs(access, modification)))


def unaddressable(call, descriptor):
    """read or write with a buffer that is nobody's memory."""
    _checked(getattr(_libc, call)(descriptor, 8, 16))


def mount_tmpfs(path):
    _checked(_libc.mount(b"none", os.fsencode(path), b"tmpfs", 0, None))


def leave_mount_namespace():
    """What this process mounts from now on is its own."""
    _checked(_libc.unshare(CLONE_NEWNS))
    _checked(_libc.mount(b"none", b"/", None, MS_PRIVATE | MS_REC, None))


def file_system_type(path):
    """f_type of statfs(2)."""
    buffer = (ctypes.c_long * 64)()
    _checked(_libc.statfs(os.fsencode(path), buffer))
    return buffer[0]


class Dirent(ctypes.Structure):
    _fields_ = [("inode", ctypes.c_uint64), ("offset", ctypes.c_int64), ("length", ctypes.c_uint16), ("type", ctypes.c_uint8),
                ("name", ctypes.c_char * 256)]


class DirectoryStream:
    """opendir, readdir, telldir, seekdir, rewinddir, closedir."""

    def __init__(self, path):
        self._stream = _libc.opendir(os.fsencode(path))
        if not self._stream:
            _checked(-1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _checked(_libc.closedir(self._stream))

    def read(self):
        """The next name (bytes); None at the end."""
        entry = self.read_entry()
        return entry and entry[0]

    def read_entry(self):
        """(name, inode, d_type); None at the end."""
        ctypes.set_errno(0)
        pointer = _libc.readdir(self._stream)
        if not pointer:
            if ctypes.get_errno():
                _checked(-1)
            return None
        entry = ctypes.cast(pointer, ctypes.POINTER(Dirent)).contents
        return ctypes.string_at(pointer + Dirent.name.offset), entry.inode, entry.type

    def read_all(self):
        return list(iter(self.read, None))

    def tell(self):
        return _libc.telldir(self._stream)

    def seek(self, position):
        _libc.seekdir(self._stream, position)

    def rewind(self):
        _libc.rewinddir(self._stream)
