"""flock(2)."""

import fcntl
import os
from errno import EBADF, EWOULDBLOCK

from ..checks import equal, make, opened, refused
from ..processes import alongside, in_child
from ..registry import case

EXCLUSIVE, SHARED = fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_SH | fcntl.LOCK_NB


@case(guard=10)
def one_has_an_exclusive_lock(d):
    make(d / "file")
    with opened(d / "file") as one, opened(d / "file") as other:
        fcntl.flock(one, EXCLUSIVE)
        for kind in (EXCLUSIVE, SHARED):
            with refused(EWOULDBLOCK):
                fcntl.flock(other, kind)
        fcntl.flock(one, fcntl.LOCK_UN)
        fcntl.flock(other, EXCLUSIVE)


@case(guard=10)
def many_have_a_shared_lock(d):
    make(d / "file")
    with opened(d / "file") as one, opened(d / "file") as other:
        fcntl.flock(one, SHARED)
        fcntl.flock(other, SHARED)
        with refused(EWOULDBLOCK):
            fcntl.flock(other, EXCLUSIVE)
        fcntl.flock(one, fcntl.LOCK_UN)
        fcntl.flock(other, EXCLUSIVE)


@case(guard=10)
def close_ends_the_lock(d):
    make(d / "file")
    with opened(d / "file") as other:
        with opened(d / "file") as one:
            fcntl.flock(one, EXCLUSIVE)
        fcntl.flock(other, EXCLUSIVE)


@case(guard=10)
def a_duplicate_has_the_same_lock(d):
    make(d / "file")
    with opened(d / "file") as one, opened(d / "file") as other:
        fcntl.flock(one, EXCLUSIVE)
        copy = os.dup(one)
        os.close(one)
        with refused(EWOULDBLOCK):
            fcntl.flock(other, EXCLUSIVE)
        os.close(copy)
        fcntl.flock(other, EXCLUSIVE)


@case(guard=10)
def a_child_has_the_same_lock(d):
    make(d / "file")
    with opened(d / "file") as one, opened(d / "file") as other:
        fcntl.flock(one, EXCLUSIVE)
        in_child(lambda: fcntl.flock(one, fcntl.LOCK_UN))
        fcntl.flock(other, EXCLUSIVE)


@case(guard=10)
def another_process_is_kept_out(d):
    def take():
        with opened(d / "file") as theirs:
            fcntl.flock(theirs, EXCLUSIVE)

    make(d / "file")
    with opened(d / "file") as mine:
        fcntl.flock(mine, EXCLUSIVE)
        with refused(EWOULDBLOCK):
            in_child(take)
    in_child(take)


@case(guard=15)
def another_process_waits_for_the_lock(d):
    started, tell = os.pipe()

    def take():
        os.write(tell, b"x")
        with opened(d / "file", os.O_RDWR) as theirs:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            equal(os.read(theirs, 10), b"done")

    make(d / "file")
    with opened(d / "file", os.O_RDWR) as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        with alongside(take):
            os.read(started, 1)
            os.write(mine, b"done")
            fcntl.flock(mine, fcntl.LOCK_UN)


@case(guard=10)
def a_lock_does_not_stop_reading_and_writing(d):
    make(d / "file")
    with opened(d / "file") as one, opened(d / "file", os.O_RDWR) as other:
        fcntl.flock(one, EXCLUSIVE)
        os.write(other, b"x")
        equal(os.read(one, 1), b"x")


@case(guard=10)
def a_directory_can_be_locked(d):
    with opened(d) as one, opened(d) as other:
        fcntl.flock(one, EXCLUSIVE)
        with refused(EWOULDBLOCK):
            fcntl.flock(other, EXCLUSIVE)


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        fcntl.flock(9999, EXCLUSIVE)
