"""creat(2), which is open(2) with O_CREAT | O_WRONLY | O_TRUNC, and umask(2)."""

import os
from errno import EACCES, EBADF, EISDIR

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..registry import ORDINARY, case
from ..times import changes

CREAT = os.O_CREAT | os.O_WRONLY | os.O_TRUNC


@case
def it_makes_a_file_for_writing_alone(d):
    with opened(d / "file", CREAT) as file:
        os.write(file, b"content")
        with refused(EBADF):
            os.read(file, 1)
    equal(content(d / "file"), b"content")


@case
def it_empties_what_is_there(d):
    make(d / "file", b"content", 0o600)
    os.close(os.open(d / "file", CREAT, 0o777))
    equal((content(d / "file"), mode_of(d / "file")), (b"", 0o600))


@case
def the_umask_takes_bits_of_a_new_file(d):
    for umask, expected in ((0, 0o666), (0o022, 0o644), (0o077, 0o600), (0o777, 0)):
        os.umask(umask)
        os.close(os.open(d / f"{umask:o}", CREAT, 0o666))
        equal(mode_of(d / f"{umask:o}"), expected)


@case
def the_umask_takes_bits_of_a_new_directory(d):
    for umask, expected in ((0, 0o777), (0o022, 0o755), (0o077, 0o700)):
        os.umask(umask)
        os.mkdir(d / f"{umask:o}", 0o777)
        equal(mode_of(d / f"{umask:o}"), expected)


@case
def the_umask_takes_bits_of_a_new_fifo(d):
    os.umask(0o027)
    os.mkfifo(d / "fifo", 0o666)
    equal(mode_of(d / "fifo"), 0o640)


@case
def the_umask_does_not_bind_chmod(d):
    os.umask(0o777)
    make(d / "file")
    os.chmod(d / "file", 0o777)
    equal(mode_of(d / "file"), 0o777)


@case
def set_id_and_sticky_bits_can_be_given(d):
    os.umask(0)
    os.close(os.open(d / "file", CREAT, 0o7777))
    equal(mode_of(d / "file"), 0o7777)


@case
def a_new_file_gives_its_directory_new_times(d):
    equal(changes(d, lambda: os.close(os.open(d / "file", CREAT))), {"mtime", "ctime"})


@case
def emptying_a_file_leaves_the_times_of_its_directory(d):
    make(d / "file", b"content")
    equal(changes(d, lambda: os.close(os.open(d / "file", CREAT))), set())


@case
def a_directory_is_eisdir(d):
    make_directory(d / "directory")
    with refused(EISDIR):
        os.open(d / "directory", CREAT)


@case(user=ORDINARY)
def in_a_directory_that_may_not_be_written_it_is_eacces(d):
    os.mkdir(d / "directory", 0o500)
    with refused(EACCES):
        os.open(d / "directory" / "file", CREAT)
