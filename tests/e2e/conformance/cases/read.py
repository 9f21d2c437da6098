"""read(2), pread(2), readv(2), preadv(2)."""

import os
from errno import EBADF, EFAULT, EINVAL, EISDIR, ESPIPE

from ..checks import equal, make, opened, refused
from ..libc import unaddressable
from ..processes import in_child
from ..registry import case
from ..times import reads

MANY = bytes(range(251)) * 1200  # several pages, and no period of a power of two


@case
def it_reads_what_is_there_and_moves_the_offset(d):
    make(d / "file", b"0123456789")
    with opened(d / "file") as file:
        equal([os.read(file, 4), os.lseek(file, 0, os.SEEK_CUR), os.read(file, 100), os.read(file, 100)], [b"0123", 4, b"456789", b""])


@case
def nothing_is_read_at_and_beyond_the_end(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        equal([os.pread(file, 10, 7), os.pread(file, 10, 1 << 40)], [b"", b""])


@case
def reading_no_bytes_is_no_error(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        equal((os.read(file, 0), os.lseek(file, 0, os.SEEK_CUR)), (b"", 0))


@case
def every_offset_is_reached(d):
    make(d / "file", MANY)
    with opened(d / "file") as file:
        for offset in (0, 1, 4095, 4096, 4097, 65_535, 131_072, 200_001, len(MANY) - 1):
            equal(os.pread(file, 5000, offset), MANY[offset:offset + 5000])


@case
def pread_leaves_the_offset(d):
    make(d / "file", b"0123456789")
    with opened(d / "file") as file:
        os.lseek(file, 3, os.SEEK_SET)
        equal((os.pread(file, 2, 7), os.lseek(file, 0, os.SEEK_CUR)), (b"78", 3))


@case
def readv_fills_one_buffer_after_the_other(d):
    make(d / "file", b"0123456789")
    with opened(d / "file") as file:
        buffers = [bytearray(3), bytearray(0), bytearray(5), bytearray(5)]
        equal((os.readv(file, buffers), buffers), (10, [bytearray(b"012"), bytearray(), bytearray(b"34567"), bytearray(b"89\0\0\0")]))


@case
def preadv_leaves_the_offset(d):
    make(d / "file", b"0123456789")
    with opened(d / "file") as file:
        buffers = [bytearray(2), bytearray(2)]
        equal((os.preadv(file, buffers, 4), buffers, os.lseek(file, 0, os.SEEK_CUR)), (4, [b"45", b"67"], 0))


@case
def a_hole_reads_as_zeros(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.pwrite(file, b"end", 300_000)
        equal((os.pread(file, 300_000, 0), os.pread(file, 10, 299_998)), (bytes(300_000), b"\0\0end"))


@case
def a_child_reads_on_from_the_common_offset(d):
    make(d / "file", b"0123456789")
    with opened(d / "file") as file:
        os.read(file, 3)
        equal((in_child(lambda: os.read(file, 3)), os.read(file, 3)), (b"345", b"678"))


@case
def two_opens_have_offsets_of_their_own(d):
    make(d / "file", b"0123456789")
    with opened(d / "file") as one, opened(d / "file") as other:
        equal([os.read(one, 4), os.read(other, 2), os.read(one, 2)], [b"0123", b"01", b"45"])


@case
def a_write_by_another_descriptor_is_read_at_once(d):
    make(d / "file", b"before")
    with opened(d / "file") as reader, opened(d / "file", os.O_WRONLY) as writer:
        equal(os.pread(reader, 10, 0), b"before")
        os.write(writer, b"AFTER and more")
        equal(os.pread(reader, 20, 0), b"AFTER and more")


@case
def reading_changes_atime(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        assert reads(file, lambda: os.read(file, 10))


@case
def a_descriptor_for_writing_is_ebadf(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_WRONLY) as file:
        for call in (lambda: os.read(file, 1), lambda: os.pread(file, 1, 0), lambda: os.readv(file, [bytearray(1)])):
            with refused(EBADF):
                call()


@case
def a_directory_is_eisdir(d):
    with opened(d) as directory:
        for call in (lambda: os.read(directory, 1), lambda: os.pread(directory, 1, 0)):
            with refused(EISDIR):
                call()


@case
def a_negative_offset_is_einval(d):
    make(d / "file", b"content")
    with opened(d / "file") as file, refused(EINVAL):
        os.pread(file, 1, -1)


@case
def too_many_buffers_are_einval(d):
    make(d / "file", b"content")
    with opened(d / "file") as file, refused(EINVAL):
        os.readv(file, [bytearray(1)] * (os.sysconf("SC_IOV_MAX") + 1))


@case
def a_buffer_that_is_no_memory_is_efault(d):
    make(d / "file", bytes(100))
    with opened(d / "file") as file, refused(EFAULT):
        unaddressable("read", file)


@case(guard=10)
def pread_of_a_fifo_is_espipe(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDONLY | os.O_NONBLOCK) as fifo, refused(ESPIPE):
        os.pread(fifo, 1, 0)
