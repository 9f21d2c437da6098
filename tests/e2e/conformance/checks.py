"""What cases say of calls. Without pytest: the runner names the line, these the values."""

import contextlib
import errno
import os


def equal(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r} is not {expected!r}")


def names_of(codes):
    return " or ".join(errno.errorcode[code] for code in codes)


@contextlib.contextmanager
def refused(*codes):
    """The block must raise OSError with one of the codes."""
    try:
        yield
    except OSError as error:
        if error.errno not in codes:
            raise AssertionError(f"{errno.errorcode.get(error.errno, error.errno)} is not {names_of(codes)}") from error
    else:
        raise AssertionError(f"success is not {names_of(codes)}")


@contextlib.contextmanager
def opened(path, flags=os.O_RDONLY, mode=0o644, dir_fd=None):
    descriptor = os.open(path, flags, mode, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        with contextlib.suppress(OSError):  # a case may have closed it
            os.close(descriptor)


def make(path, content=b"", mode=0o644):
    """A file with these bytes; its path."""
    with opened(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode) as descriptor:
        os.write(descriptor, content)
    return path


def make_directory(path, *files):
    """A directory with these empty files; its path."""
    os.mkdir(path)
    for name in files:
        make(path / name)
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


def mode_of(path, follow=True):
    """The twelve bits."""
    return os.stat(path, follow_symlinks=follow).st_mode & 0o7777
