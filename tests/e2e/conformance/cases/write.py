"""write(2), pwrite(2), writev(2), pwritev(2)."""

import os
from errno import EBADF, EFAULT, EFBIG, EINVAL, EPIPE, ESPIPE

from ..checks import content, equal, make, mode_of, opened, refused
from ..libc import unaddressable
from ..processes import as_user, with_a_limit
from ..registry import ORDINARY, ROOT, case
from ..times import changes

MANY = bytes(range(251)) * 1200


@case
def it_writes_at_the_offset_and_moves_it(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        equal([os.write(file, b"0123"), os.write(file, b"45"), os.lseek(file, 0, os.SEEK_CUR)], [4, 2, 6])
    equal(content(d / "file"), b"012345")


@case
def it_replaces_bytes_and_leaves_the_others(d):
    make(d / "file", b"0123456789")
    with opened(d / "file", os.O_WRONLY) as file:
        os.lseek(file, 3, os.SEEK_SET)
        os.write(file, b"abc")
    equal(content(d / "file"), b"012abc6789")


@case
def every_offset_is_reached(d):
    expected = bytearray(MANY)
    make(d / "file", MANY)
    with opened(d / "file", os.O_WRONLY) as file:
        for offset in (0, 4095, 4097, 131_071, 200_001, len(MANY) - 3):
            equal(os.pwrite(file, b"new bytes", offset), 9)
            expected[offset:offset + 9] = b"new bytes"
    equal(content(d / "file") == expected, True)


@case
def pwrite_leaves_the_offset(d):
    make(d / "file", b"0123456789")
    with opened(d / "file", os.O_RDWR) as file:
        os.lseek(file, 3, os.SEEK_SET)
        os.pwrite(file, b"x", 7)
        equal((os.lseek(file, 0, os.SEEK_CUR), os.pread(file, 10, 0)), (3, b"0123456x89"))


@case
def beyond_the_end_it_leaves_a_hole_of_zeros(d):
    make(d / "file", b"begin")
    with opened(d / "file", os.O_WRONLY) as file:
        os.pwrite(file, b"end", 10_000)
    equal(content(d / "file"), b"begin" + bytes(9995) + b"end")


@case
def beyond_four_gigabytes_it_writes_where_it_was_told_to(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.unlink(d / "file")  # before it is written, so that nobody has to keep the hole
        far = (1 << 32) + 5
        os.pwrite(file, b"far", far)
        equal((os.fstat(file).st_size, os.pread(file, 10, far - 2), os.pread(file, 5, 5)), (far + 3, b"\0\0far", bytes(5)))


@case
def writev_writes_one_buffer_after_the_other(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        equal(os.writev(file, [b"one", b"", b"two", b"three"]), 11)
    equal(content(d / "file"), b"onetwothree")


@case
def pwritev_leaves_the_offset(d):
    make(d / "file", b"0123456789")
    with opened(d / "file", os.O_RDWR) as file:
        equal((os.pwritev(file, [b"a", b"b"], 4), os.lseek(file, 0, os.SEEK_CUR)), (2, 0))
    equal(content(d / "file"), b"0123ab6789")


@case
def writing_no_bytes_changes_nothing(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_WRONLY) as file:
        equal(changes(file, lambda: os.write(file, b"")), set())
        equal(os.pwrite(file, b"", 100), 0)
    equal(content(d / "file"), b"content")


@case
def a_large_write_is_taken_whole(d):
    data = os.urandom(3 << 20)
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        equal(os.write(file, data), len(data))
    equal(content(d / "file") == data, True)


@case
def the_size_is_told_at_once(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        for size in (1, 5000, 5001):
            os.pwrite(file, b"x", size - 1)
            equal((os.fstat(file).st_size, os.stat(d / "file").st_size), (size, size))


@case
def mtime_and_ctime_are_those_of_the_write(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_WRONLY) as file:
        equal(changes(file, lambda: os.write(file, b"x")), {"mtime", "ctime"})


@case
def mtime_stays_that_of_the_write_after_close(d):
    make(d / "file", b"content")

    def write_and_close():
        with opened(d / "file", os.O_WRONLY) as file:
            os.write(file, b"x")
            seen.append(os.fstat(file).st_mtime_ns)

    seen = []
    equal(changes(d / "file", write_and_close), {"mtime", "ctime"})
    equal(os.stat(d / "file").st_mtime_ns, seen[0])


@case
def a_time_that_was_set_after_the_write_stays(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"x")
        os.utime(file, ns=(5_000_000_001, 6_000_000_002))
    equal(os.stat(d / "file").st_mtime_ns, 6_000_000_002)


@case(user=ORDINARY)
def set_id_bits_are_taken_away(d):
    make(d / "file", b"content")
    os.chmod(d / "file", 0o6777)
    with opened(d / "file", os.O_WRONLY) as file:
        os.write(file, b"x")
        equal(mode_of(file), 0o777)
    equal(mode_of(d / "file"), 0o777)


@case(user=ROOT)
def set_id_bits_are_taken_away_when_another_user_writes(d):
    os.chmod(d, 0o755)
    make(d / "file", b"content")
    os.chmod(d / "file", 0o6777)

    def write():
        with opened(d / "file", os.O_WRONLY) as file:
            os.write(file, b"x")

    as_user(write)
    equal(mode_of(d / "file"), 0o777)


@case
def a_descriptor_for_reading_is_ebadf(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        for call in (lambda: os.write(file, b"x"), lambda: os.pwrite(file, b"x", 0), lambda: os.writev(file, [b"x"])):
            with refused(EBADF):
                call()


@case
def a_negative_offset_is_einval(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file, refused(EINVAL):
        os.pwrite(file, b"x", -1)


@case
def too_many_buffers_are_einval(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file, refused(EINVAL):
        os.writev(file, [b"x"] * (os.sysconf("SC_IOV_MAX") + 1))


@case
def a_buffer_that_is_no_memory_is_efault(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        with refused(EFAULT):
            unaddressable("write", file)
        equal(os.fstat(file).st_size, 0)


@case
def beyond_the_limit_of_the_process_it_is_efbig(d):
    def write():
        with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
            equal(os.write(file, bytes(10_000)), 8192)
            with refused(EFBIG):
                os.write(file, b"x")

    with_a_limit(8192, write)
    equal(os.stat(d / "file").st_size, 8192)


@case(guard=10)
def a_fifo_that_nobody_reads_is_epipe(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDONLY | os.O_NONBLOCK) as reader, opened(d / "fifo", os.O_WRONLY) as writer:
        os.close(reader)
        with refused(EPIPE):
            os.write(writer, b"x")


@case(guard=10)
def pwrite_to_a_fifo_is_espipe(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDWR | os.O_NONBLOCK) as fifo, refused(ESPIPE):
        os.pwrite(fifo, b"x", 0)
