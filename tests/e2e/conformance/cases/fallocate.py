"""posix_fallocate(3), and fallocate(2), which is Linux's."""

import os
from errno import EBADF, EFBIG, EINVAL, ENODEV, EOPNOTSUPP, ESPIPE

from ..checks import content, equal, make, mode_of, opened, refused
from ..libc import FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, fallocate
from ..processes import with_a_limit
from ..registry import ORDINARY, case
from ..times import changes

PUNCH = FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE


@case
def posix_fallocate_makes_a_file_longer(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        os.posix_fallocate(file, 0, 10_000)
        equal(os.fstat(file).st_size, 10_000)
    equal(content(d / "file"), b"content" + bytes(9993))


@case
def posix_fallocate_leaves_what_is_there(d):
    make(d / "file", b"0123456789")
    with opened(d / "file", os.O_RDWR) as file:
        os.posix_fallocate(file, 2, 5)
    equal(content(d / "file"), b"0123456789")


@case
def mode_0_makes_a_file_longer(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, 0, 5000, 5000)
        equal(os.fstat(file).st_size, 10_000)
    equal(content(d / "file"), b"content" + bytes(9993))


@case
def what_is_reserved_has_blocks(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        fallocate(file, 0, 0, 1 << 20)
        assert os.fstat(file).st_blocks * 512 >= 1 << 20


@case
def a_longer_file_has_a_new_ctime(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        assert "ctime" in changes(file, lambda: fallocate(file, 0, 0, 10_000))


@case
def keep_size_leaves_the_size(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, FALLOC_KEEP_SIZE, 0, 100_000)
        equal(os.fstat(file).st_size, 7)
    equal(content(d / "file"), b"content")


@case
def punch_hole_makes_zeros(d):
    make(d / "file", b"x" * 20_000)
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, PUNCH, 4096, 8192)
        equal((os.fstat(file).st_size, os.pread(file, 20_000, 0)), (20_000, b"x" * 4096 + bytes(8192) + b"x" * 7712))
    equal(content(d / "file"), b"x" * 4096 + bytes(8192) + b"x" * 7712)


@case
def punch_hole_need_not_begin_at_a_block(d):
    make(d / "file", b"x" * 20_000)
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, PUNCH, 1001, 7003)
    equal(content(d / "file"), b"x" * 1001 + bytes(7003) + b"x" * 11_996)


@case
def punch_hole_beyond_the_end_leaves_the_size(d):
    make(d / "file", b"x" * 5000)
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, PUNCH, 4000, 100_000)
    equal(content(d / "file"), b"x" * 4000 + bytes(1000))


@case
def punch_hole_is_seen_in_a_file_that_was_stored_before(d):
    make(d / "file", b"x" * 20_000)
    with opened(d / "file") as reader, opened(d / "file", os.O_RDWR) as writer:
        equal(os.pread(reader, 4, 5000), b"xxxx")
        fallocate(writer, PUNCH, 4096, 4096)
        equal(os.pread(reader, 4, 5000), bytes(4))


@case
def zero_range_makes_zeros(d):
    make(d / "file", b"x" * 20_000)
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, FALLOC_ZERO_RANGE, 5000, 5000)
    equal(content(d / "file"), b"x" * 5000 + bytes(5000) + b"x" * 10_000)


@case
def zero_range_makes_a_file_longer_unless_told_not_to(d):
    make(d / "file", b"x" * 5000)
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE, 4000, 6000)
        equal(os.fstat(file).st_size, 5000)
        fallocate(file, FALLOC_ZERO_RANGE, 4500, 6000)
        equal(os.fstat(file).st_size, 10_500)
    equal(content(d / "file"), b"x" * 4000 + bytes(6500))


@case(user=ORDINARY)
def set_id_bits_are_taken_away(d):
    make(d / "file", b"content")
    os.chmod(d / "file", 0o6777)
    with opened(d / "file", os.O_RDWR) as file:
        fallocate(file, 0, 0, 10_000)
        equal(mode_of(file), 0o777)


@case
def a_descriptor_for_reading_is_ebadf(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        for call in (lambda: os.posix_fallocate(file, 0, 10), lambda: fallocate(file, 0, 0, 10), lambda: fallocate(file, PUNCH, 0, 10)):
            with refused(EBADF):
                call()


@case
def no_length_and_negative_numbers_are_einval(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        for offset, length in ((0, 0), (-1, 10), (0, -1)):
            with refused(EINVAL):
                os.posix_fallocate(file, offset, length)
            with refused(EINVAL):
                fallocate(file, 0, offset, length)


@case
def unknown_modes_are_eopnotsupp(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        for mode in (FALLOC_PUNCH_HOLE, 0x4000):
            with refused(EOPNOTSUPP):
                fallocate(file, mode, 0, 10)


@case
def beyond_the_largest_file_it_is_efbig(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file, refused(EFBIG):
        fallocate(file, 0, (1 << 63) - 10, 100)


@case
def beyond_the_limit_of_the_process_it_is_efbig(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file, refused(EFBIG):
        with_a_limit(8192, lambda: fallocate(file, 0, 0, 8193))


@case
def a_directory_is_refused(d):
    with opened(d) as directory, refused(EBADF, ENODEV, EINVAL):
        os.posix_fallocate(directory, 0, 10)


@case(guard=10)
def a_fifo_is_espipe(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDWR | os.O_NONBLOCK) as fifo, refused(ESPIPE):
        os.posix_fallocate(fifo, 0, 10)
