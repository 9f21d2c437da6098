"""copy_file_range(2) and sendfile(2), which are Linux's."""

import os
from errno import EBADF, EINVAL, EISDIR

from ..checks import content, equal, make, mode_of, opened, refused
from ..registry import ORDINARY, case
from ..times import changes

DATA = bytes(range(251)) * 1200


def copy_all(call, size):
    """Calls it with what is still to be copied until all is; a call may copy less."""
    done = 0
    while done < size:
        copied = call(size - done)
        assert copied > 0, f"{done} of {size} bytes are copied"
        done += copied


@case
def it_copies_a_whole_file(d):
    make(d / "from", DATA)
    with opened(d / "from") as source, opened(d / "to", os.O_CREAT | os.O_WRONLY) as target:
        copy_all(lambda rest: os.copy_file_range(source, target, rest), len(DATA))
        equal((os.lseek(source, 0, os.SEEK_CUR), os.lseek(target, 0, os.SEEK_CUR)), (len(DATA), len(DATA)))
    equal(content(d / "to") == DATA, True)


@case
def offsets_that_are_given_leave_those_of_the_descriptors(d):
    make(d / "from", b"0123456789")
    make(d / "to", b"abcdefghij")
    with opened(d / "from") as source, opened(d / "to", os.O_RDWR) as target:
        equal(os.copy_file_range(source, target, 3, 2, 5), 3)
        equal((os.lseek(source, 0, os.SEEK_CUR), os.lseek(target, 0, os.SEEK_CUR)), (0, 0))
    equal(content(d / "to"), b"abcde234ij")


@case
def at_the_end_nothing_is_copied(d):
    make(d / "from", b"content")
    with opened(d / "from") as source, opened(d / "to", os.O_CREAT | os.O_WRONLY) as target:
        equal((os.copy_file_range(source, target, 10, 7), os.copy_file_range(source, target, 10, 100)), (0, 0))
        equal(os.copy_file_range(source, target, 100, 3), 4)


@case
def within_a_file_it_copies_what_does_not_overlap(d):
    make(d / "file", b"0123456789")
    with opened(d / "file", os.O_RDWR) as file:
        equal(os.copy_file_range(file, file, 4, 0, 10), 4)
        with refused(EINVAL):
            os.copy_file_range(file, file, 4, 0, 2)
    equal(content(d / "file"), b"01234567890123")


@case
def it_copies_what_was_just_written(d):
    with opened(d / "from", os.O_CREAT | os.O_RDWR) as source, opened(d / "to", os.O_CREAT | os.O_WRONLY) as target:
        os.write(source, b"written")
        copy_all(lambda rest: os.copy_file_range(source, target, rest, 7 - rest), 7)
    equal(content(d / "to"), b"written")


@case
def the_target_gets_new_times(d):
    make(d / "from", b"content")
    make(d / "to", b"old")
    with opened(d / "from") as source, opened(d / "to", os.O_WRONLY) as target:
        equal(changes(target, lambda: os.copy_file_range(source, target, 7)), {"mtime", "ctime"})


@case(user=ORDINARY)
def set_id_bits_of_the_target_are_taken_away(d):
    make(d / "from", b"content")
    make(d / "to", b"old")
    os.chmod(d / "to", 0o6777)
    with opened(d / "from") as source, opened(d / "to", os.O_WRONLY) as target:
        os.copy_file_range(source, target, 7)
        equal(mode_of(target), 0o777)


@case
def wrong_access_modes_are_ebadf(d):
    make(d / "from", b"content")
    make(d / "to")
    for reading, writing in ((os.O_WRONLY, os.O_WRONLY), (os.O_RDONLY, os.O_RDONLY), (os.O_RDONLY, os.O_WRONLY | os.O_APPEND)):
        with opened(d / "from", reading) as source, opened(d / "to", writing) as target, refused(EBADF):
            os.copy_file_range(source, target, 7)


@case
def a_directory_is_eisdir(d):
    make(d / "to")
    with opened(d) as directory, opened(d / "to", os.O_WRONLY) as target, refused(EISDIR):
        os.copy_file_range(directory, target, 7)


@case(guard=10)
def a_fifo_is_einval(d):
    os.mkfifo(d / "fifo")
    make(d / "from", b"content")
    with opened(d / "from") as source, opened(d / "fifo", os.O_RDWR | os.O_NONBLOCK) as fifo, refused(EINVAL):
        os.copy_file_range(source, fifo, 7)


@case
def sendfile_copies_a_whole_file(d):
    make(d / "from", DATA)
    with opened(d / "from") as source, opened(d / "to", os.O_CREAT | os.O_WRONLY) as target:
        copy_all(lambda rest: os.sendfile(target, source, len(DATA) - rest, rest), len(DATA))
        equal(os.lseek(source, 0, os.SEEK_CUR), 0)
    equal(content(d / "to") == DATA, True)


@case(guard=10)
def sendfile_fills_a_pipe(d):
    make(d / "from", b"content")
    reader, writer = os.pipe()
    with opened(d / "from") as source:
        equal((os.sendfile(writer, source, None, 100), os.read(reader, 100)), (7, b"content"))
        equal(os.lseek(source, 0, os.SEEK_CUR), 7)


@case
def sendfile_asks_for_the_right_access_modes(d):
    make(d / "from", b"content")
    with opened(d / "from", os.O_WRONLY) as source, opened(d / "to", os.O_CREAT | os.O_WRONLY) as target, refused(EBADF):
        os.sendfile(target, source, 0, 7)
    with opened(d / "from") as source, opened(d / "to") as target, refused(EBADF):
        os.sendfile(target, source, 0, 7)
