"""ftruncate(2)."""

import os
from errno import EBADF, EFBIG, EINVAL

from ..checks import content, equal, make, mode_of, opened, refused
from ..processes import with_a_limit
from ..registry import ORDINARY, case
from ..times import changes


@case
def it_cuts_the_end_off_and_appends_zeros(d):
    make(d / "file", b"0123456789")
    with opened(d / "file", os.O_RDWR) as file:
        os.ftruncate(file, 4)
        equal((os.fstat(file).st_size, os.pread(file, 20, 0)), (4, b"0123"))
        os.ftruncate(file, 6)
        equal((os.fstat(file).st_size, os.pread(file, 20, 0)), (6, b"0123\0\0"))
    equal(content(d / "file"), b"0123\0\0")


@case
def the_offset_stays(d):
    make(d / "file", b"0123456789")
    with opened(d / "file", os.O_RDWR) as file:
        os.lseek(file, 8, os.SEEK_SET)
        os.ftruncate(file, 4)
        equal(os.lseek(file, 0, os.SEEK_CUR), 8)
        os.write(file, b"x")
    equal(content(d / "file"), b"0123\0\0\0\0x")


@case
def the_same_size_changes_nothing(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        os.ftruncate(file, 7)
    equal(content(d / "file"), b"content")


@case
def other_descriptors_see_it(d):
    make(d / "file", b"content")
    with opened(d / "file") as reader, opened(d / "file", os.O_WRONLY) as writer:
        os.ftruncate(writer, 3)
        equal((os.read(reader, 10), os.fstat(reader).st_size), (b"con", 3))


@case
def a_file_that_was_only_made_longer_is_kept(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.ftruncate(file, 5000)
    equal(content(d / "file"), bytes(5000))


@case
def a_new_size_gives_new_times(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        for size in (3, 100):
            equal(changes(file, lambda: os.ftruncate(file, size)), {"mtime", "ctime"})


@case
def a_descriptor_needs_no_right_any_more(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR, 0) as file:
        os.write(file, b"content")
        os.ftruncate(file, 3)
        equal(os.fstat(file).st_size, 3)


@case(user=ORDINARY)
def set_id_bits_are_taken_away(d):
    make(d / "file", b"content")
    os.chmod(d / "file", 0o6777)
    with opened(d / "file", os.O_WRONLY) as file:
        os.ftruncate(file, 3)
        equal(mode_of(file), 0o777)


@case
def a_descriptor_for_reading_is_einval_or_ebadf(d):
    make(d / "file", b"content")
    with opened(d / "file") as file, refused(EINVAL, EBADF):
        os.ftruncate(file, 0)
    equal(content(d / "file"), b"content")


@case
def a_negative_size_is_einval(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file, refused(EINVAL):
        os.ftruncate(file, -1)


@case
def a_directory_is_einval_or_ebadf(d):
    with opened(d) as directory, refused(EINVAL, EBADF):
        os.ftruncate(directory, 0)


@case(guard=10)
def a_fifo_is_einval(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDWR | os.O_NONBLOCK) as fifo, refused(EINVAL):
        os.ftruncate(fifo, 0)


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        os.ftruncate(9999, 0)


@case
def beyond_the_limit_of_the_process_it_is_efbig(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file, refused(EFBIG):
        with_a_limit(8192, lambda: os.ftruncate(file, 8193))
