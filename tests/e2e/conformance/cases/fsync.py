"""fsync(2), fdatasync(2)."""

import os
from errno import EBADF, EINVAL

from ..checks import content, equal, make, make_directory, opened, refused
from ..registry import case


@case
def what_was_written_is_there(d):
    for sync in (os.fsync, os.fdatasync):
        with opened(d / sync.__name__, os.O_CREAT | os.O_WRONLY) as file:
            os.write(file, b"content")
            sync(file)
            os.write(file, b" and more")
            sync(file)
            equal(content(d / sync.__name__), b"content and more")


@case
def a_descriptor_for_reading_will_do(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        os.fsync(file)
        os.fdatasync(file)


@case
def a_directory_can_be_synced(d):
    make_directory(d / "directory", "file")
    with opened(d / "directory") as directory:
        os.fsync(directory)
        os.fdatasync(directory)


@case
def it_changes_no_time(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"content")
        os.utime(file, ns=(5_000_000_001, 6_000_000_002))
        os.fsync(file)
        equal(os.fstat(file).st_mtime_ns, 6_000_000_002)


@case
def a_file_without_a_name_can_be_synced(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.write(file, b"content")
        os.unlink(d / "file")
        os.fsync(file)
        equal(os.pread(file, 10, 0), b"content")
    equal(os.listdir(d), [])


@case
def a_closed_descriptor_is_ebadf(d):
    for sync in (os.fsync, os.fdatasync):
        with refused(EBADF):
            sync(9999)


@case(guard=10)
def a_fifo_is_einval(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDWR | os.O_NONBLOCK) as fifo:
        for sync in (os.fsync, os.fdatasync):
            with refused(EINVAL):
                sync(fifo)
