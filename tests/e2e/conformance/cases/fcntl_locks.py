"""fcntl(2): F_SETLK, F_SETLKW, F_GETLK, and the locks of an open file description (F_OFD_SETLK), which POSIX has since 2024."""

import fcntl
import os
import struct
from errno import EACCES, EAGAIN, EBADF, EDEADLK, EINVAL

from ..checks import equal, make, opened, refused
from ..processes import alongside, in_child
from ..registry import case

HELD = (EACCES, EAGAIN)  # POSIX allows both
_FLOCK = "hhqqi4x"  # struct flock: l_type, l_whence, l_start, l_len, l_pid
F_OFD_GETLK, F_OFD_SETLK = 36, 37


def lock(file, kind, start=0, length=0, command=fcntl.F_SETLK):
    """What the call has left in its struct flock: (type, start, length, pid)."""
    answer = fcntl.fcntl(file, command, struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0))
    kind, _, start, length, pid = struct.unpack(_FLOCK, answer)
    return kind, start, length, pid


def elsewhere(path, kind, start=0, length=0, command=fcntl.F_SETLK):
    """The same by another process."""
    def take():
        with opened(path, os.O_RDWR) as file:
            return lock(file, kind, start, length, command)

    return in_child(take)


@case(guard=10)
def one_process_has_a_write_lock(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK)
        for kind in (fcntl.F_WRLCK, fcntl.F_RDLCK):
            with refused(*HELD):
                elsewhere(d / "file", kind)
        lock(file, fcntl.F_UNLCK)
        elsewhere(d / "file", fcntl.F_WRLCK)


@case(guard=10)
def many_processes_have_a_read_lock(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_RDLCK)
        elsewhere(d / "file", fcntl.F_RDLCK)
        with refused(*HELD):
            elsewhere(d / "file", fcntl.F_WRLCK)


@case(guard=10)
def ranges_are_locked_apart(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK, 100, 50)
        elsewhere(d / "file", fcntl.F_WRLCK, 0, 100)
        elsewhere(d / "file", fcntl.F_WRLCK, 150, 0)
        for start, length in ((99, 2), (149, 1), (0, 0)):
            with refused(*HELD):
                elsewhere(d / "file", fcntl.F_WRLCK, start, length)


@case(guard=10)
def a_part_of_a_lock_is_given_back(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK, 0, 100)
        lock(file, fcntl.F_UNLCK, 40, 20)
        elsewhere(d / "file", fcntl.F_WRLCK, 40, 20)
        for start in (39, 60):
            with refused(*HELD):
                elsewhere(d / "file", fcntl.F_WRLCK, start, 1)


@case(guard=10)
def getlk_tells_who_is_in_the_way(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK, 10, 20)
        equal(elsewhere(d / "file", fcntl.F_RDLCK, 0, 0, fcntl.F_GETLK), (fcntl.F_WRLCK, 10, 20, os.getpid()))
        equal(elsewhere(d / "file", fcntl.F_RDLCK, 0, 10, fcntl.F_GETLK)[0], fcntl.F_UNLCK)


@case(guard=10)
def closing_any_descriptor_of_the_file_ends_the_locks_of_the_process(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK)
        os.close(os.open(d / "file", os.O_RDONLY))
        elsewhere(d / "file", fcntl.F_WRLCK)


@case(guard=10)
def a_child_does_not_have_the_lock(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK)
        with refused(*HELD):
            in_child(lambda: lock(file, fcntl.F_WRLCK))


@case(guard=10)
def a_process_that_ends_leaves_no_lock(d):
    make(d / "file", b"content")
    in_child(lambda: lock(os.open(d / "file", os.O_RDWR), fcntl.F_WRLCK) and None)
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK)


@case(guard=15)
def setlkw_waits(d):
    started, tell = os.pipe()

    def take():
        os.write(tell, b"x")
        with opened(d / "file", os.O_RDWR) as theirs:
            lock(theirs, fcntl.F_WRLCK, command=fcntl.F_SETLKW)
            equal(os.read(theirs, 10), b"done")

    make(d / "file")
    with opened(d / "file", os.O_RDWR) as mine:
        lock(mine, fcntl.F_WRLCK)
        with alongside(take):
            os.read(started, 1)
            os.write(mine, b"done")
            lock(mine, fcntl.F_UNLCK)


@case(guard=15)
def two_that_wait_for_each_other_are_edeadlk(d):
    """One of the two is told; the other gets its lock when that one gives way."""
    ready, tell = os.pipe()
    go, start = os.pipe()

    def attempt(file, first, second):
        try:
            lock(file, fcntl.F_WRLCK, second, 1, fcntl.F_SETLKW)
            return "got"
        except OSError as error:
            equal(error.errno, EDEADLK)
            return "told"
        finally:
            lock(file, fcntl.F_UNLCK)

    def other():
        with opened(d / "file", os.O_RDWR) as theirs:
            lock(theirs, fcntl.F_WRLCK, 1, 1)
            os.write(tell, b"x")
            os.read(go, 1)
            os.write(told, attempt(theirs, 1, 0).encode())

    make(d / "file", b"content")
    answer, told = os.pipe()
    with opened(d / "file", os.O_RDWR) as mine:
        lock(mine, fcntl.F_WRLCK, 0, 1)
        with alongside(other):
            os.read(ready, 1)
            os.write(start, b"x")
            here = attempt(mine, 0, 1)
        equal({here, os.read(answer, 10).decode()}, {"got", "told"})


@case(guard=10)
def locks_of_an_open_file_description_meet_within_a_process(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as one, opened(d / "file", os.O_RDWR) as other:
        lock(one, fcntl.F_WRLCK, command=F_OFD_SETLK)
        with refused(*HELD):
            lock(other, fcntl.F_WRLCK, command=F_OFD_SETLK)
        equal(lock(other, fcntl.F_WRLCK, command=F_OFD_GETLK)[0], fcntl.F_WRLCK)
        os.close(os.open(d / "file", os.O_RDONLY))  # ends no lock of this kind
        with refused(*HELD):
            lock(other, fcntl.F_RDLCK, command=F_OFD_SETLK)
        os.close(one)
        lock(other, fcntl.F_WRLCK, command=F_OFD_SETLK)


@case(guard=10)
def both_kinds_of_locks_meet(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        lock(file, fcntl.F_WRLCK, 0, 10, F_OFD_SETLK)
        with refused(*HELD):
            elsewhere(d / "file", fcntl.F_WRLCK, 5, 1)
        elsewhere(d / "file", fcntl.F_WRLCK, 10, 1)


@case(guard=10)
def access_modes_that_do_not_allow_the_lock_are_ebadf(d):
    make(d / "file", b"content")
    with opened(d / "file") as reader, opened(d / "file", os.O_WRONLY) as writer:
        with refused(EBADF):
            lock(reader, fcntl.F_WRLCK)
        with refused(EBADF):
            lock(writer, fcntl.F_RDLCK)


@case(guard=10)
def before_the_beginning_is_einval(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        for start, length in ((-1, 1), (5, -6)):
            with refused(EINVAL):
                lock(file, fcntl.F_WRLCK, start, length)
