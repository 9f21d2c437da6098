"""lseek(2), with SEEK_DATA and SEEK_HOLE."""

import os
from errno import EBADF, EINVAL, ENXIO, ESPIPE

from ..checks import content, equal, make, opened, refused
from ..registry import case

HOLE = 1 << 20


def sparse(path):
    """4 KiB of data, a hole of 1 MiB, 4 KiB of data, and a hole to 3 MiB."""
    with opened(path, os.O_CREAT | os.O_WRONLY) as file:
        os.pwrite(file, b"a" * 4096, 0)
        os.pwrite(file, b"b" * 4096, HOLE)
        os.ftruncate(file, 3 * HOLE)
        os.fsync(file)
    return path


@case
def it_goes_where_it_is_told_to(d):
    make(d / "file", b"0123456789")
    with opened(d / "file") as file:
        equal([os.lseek(file, 4, os.SEEK_SET), os.lseek(file, 3, os.SEEK_CUR), os.read(file, 1), os.lseek(file, -2, os.SEEK_END), os.read(file, 9)],
              [4, 7, b"7", 8, b"89"])


@case
def beyond_the_end_it_does_not_make_the_file_larger(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        equal((os.lseek(file, 1000, os.SEEK_END), os.fstat(file).st_size, os.read(file, 1)), (1007, 7, b""))


@case
def what_is_written_beyond_the_end_follows_a_hole(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        os.lseek(file, 5, os.SEEK_END)
        os.write(file, b"x")
    equal(content(d / "file"), b"content\0\0\0\0\0x")


@case
def seek_end_knows_what_others_have_written(d):
    make(d / "file", b"content")
    with opened(d / "file") as reader, opened(d / "file", os.O_WRONLY | os.O_APPEND) as writer:
        os.write(writer, b" and more")
        equal(os.lseek(reader, 0, os.SEEK_END), 16)


@case
def offsets_beyond_four_gigabytes_are_kept(d):
    make(d / "file")
    with opened(d / "file") as file:
        equal(os.lseek(file, 1 << 40, os.SEEK_SET), 1 << 40)


@case
def before_the_beginning_is_einval_and_moves_nothing(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        os.lseek(file, 3, os.SEEK_SET)
        for offset, whence in ((-1, os.SEEK_SET), (-4, os.SEEK_CUR), (-8, os.SEEK_END)):
            with refused(EINVAL):
                os.lseek(file, offset, whence)
        equal(os.lseek(file, 0, os.SEEK_CUR), 3)


@case
def an_unknown_whence_is_einval(d):
    make(d / "file")
    with opened(d / "file") as file, refused(EINVAL):
        os.lseek(file, 0, 99)


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        os.lseek(9999, 0, os.SEEK_SET)


@case(guard=10)
def a_fifo_is_espipe(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDONLY | os.O_NONBLOCK) as fifo, refused(ESPIPE):
        os.lseek(fifo, 0, os.SEEK_SET)


@case
def a_file_of_data_is_data_up_to_its_end(d):
    make(d / "file", b"x" * 10_000)
    with opened(d / "file") as file:
        equal([os.lseek(file, 0, os.SEEK_DATA), os.lseek(file, 5000, os.SEEK_DATA), os.lseek(file, 0, os.SEEK_HOLE)], [0, 5000, 10_000])


@case
def seek_data_skips_a_large_hole(d):
    with opened(sparse(d / "file")) as file:
        found = os.lseek(file, HOLE // 2, os.SEEK_DATA)
    assert HOLE // 2 < found <= HOLE, found


@case
def seek_hole_finds_a_large_hole(d):
    with opened(sparse(d / "file")) as file:
        found = os.lseek(file, 0, os.SEEK_HOLE)
        equal(os.lseek(file, HOLE // 2, os.SEEK_HOLE), HOLE // 2)
    assert 4096 <= found <= HOLE // 2, found


@case
def the_data_between_data_and_hole_is_all_of_it(d):
    """Whatever the file system calls a hole, a copy of what it calls data is a copy of the file."""
    with opened(sparse(d / "file")) as file:
        copy, end, offset = bytearray(3 * HOLE), 3 * HOLE, 0
        while offset < end:
            try:
                begin = os.lseek(file, offset, os.SEEK_DATA)
            except OSError:
                break
            offset = os.lseek(file, begin, os.SEEK_HOLE)
            copy[begin:offset] = os.pread(file, offset - begin, begin)
    equal(bytes(copy) == content(d / "file"), True)


@case
def seek_data_in_the_hole_at_the_end_is_enxio(d):
    with opened(sparse(d / "file")) as file, refused(ENXIO):
        os.lseek(file, 2 * HOLE, os.SEEK_DATA)


@case
def seek_data_and_seek_hole_at_the_end_are_enxio(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        for offset in (7, 1000):
            for whence in (os.SEEK_DATA, os.SEEK_HOLE):
                with refused(ENXIO):
                    os.lseek(file, offset, whence)


@case
def seek_data_sees_what_was_just_written(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.ftruncate(file, 2 * HOLE)
        os.pwrite(file, b"x" * 4096, HOLE)
        equal(os.lseek(file, HOLE, os.SEEK_DATA), HOLE)
        assert HOLE < os.lseek(file, HOLE, os.SEEK_HOLE) <= 2 * HOLE
