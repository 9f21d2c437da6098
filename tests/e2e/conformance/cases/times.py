"""Which times a change of names gives to the things that it names, as XBD 4.9 says ("marked for update")."""

import os
from errno import EEXIST, ENOENT, ENOTEMPTY

from ..checks import equal, make, make_directory, opened, refused
from ..registry import case
from ..times import changes, reads, tick

BOTH = {"mtime", "ctime"}


@case
def a_new_thing_has_the_time_of_its_creation(d):
    before = os.stat(make(d / "before")).st_mtime_ns
    tick()
    make(d / "file")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        seen = os.stat(d / name)
        assert before < min(seen.st_mtime_ns, seen.st_ctime_ns, seen.st_atime_ns)


@case
def rename_gives_both_directories_new_times(d):
    make_directory(d / "one", "file")
    make_directory(d / "other")
    equal(changes(d / "one", lambda: os.rename(d / "one" / "file", d / "other" / "file")), BOTH)
    equal(changes(d / "one", lambda: os.rename(d / "other" / "file", d / "one" / "file")), BOTH)


@case
def rename_within_a_directory_gives_it_new_times(d):
    make(d / "file")
    equal(changes(d, lambda: os.rename(d / "file", d / "renamed")), BOTH)


@case
def rename_leaves_the_mtime_of_the_file(d):
    make(d / "file", b"content")
    assert "mtime" not in changes(d / "file", lambda: os.rename(d / "file", d / "renamed"), then=d / "renamed")


@case
def rename_leaves_the_mtime_of_a_directory(d):
    make_directory(d / "directory", "inner")
    assert "mtime" not in changes(d / "directory", lambda: os.rename(d / "directory", d / "renamed"), then=d / "renamed")


@case
def rmdir_gives_the_parent_new_times(d):
    make_directory(d / "directory")
    equal(changes(d, lambda: os.rmdir(d / "directory")), BOTH)


@case
def symlink_gives_the_parent_new_times(d):
    equal(changes(d, lambda: os.symlink("nothing", d / "link")), BOTH)


@case
def mkfifo_gives_the_parent_new_times(d):
    equal(changes(d, lambda: os.mkfifo(d / "fifo")), BOTH)


@case
def link_gives_the_parent_new_times_and_the_file_a_new_ctime(d):
    make(d / "file")
    make_directory(d / "directory")
    equal(changes(d / "directory", lambda: os.link(d / "file", d / "directory" / "one")), BOTH)
    equal(changes(d / "file", lambda: os.link(d / "file", d / "directory" / "other")), {"ctime"})


@case
def what_is_written_leaves_the_times_of_the_directory(d):
    make(d / "file", b"content")

    def write():
        with opened(d / "file", os.O_WRONLY) as file:
            os.write(file, b"x")

    equal(changes(d, write), set())


@case
def what_happens_below_leaves_the_times_of_the_grandparent(d):
    make_directory(d / "directory")
    equal(changes(d, lambda: make(d / "directory" / "file")), set())


@case
def what_fails_leaves_the_times(d):
    def fail():
        with refused(EEXIST):
            os.mkdir(d / "file")
        with refused(ENOENT):
            os.unlink(d / "no")
        with refused(ENOTEMPTY, EEXIST):
            os.rmdir(d / "directory")

    make(d / "file")
    make_directory(d / "directory", "inner")
    equal(changes(d, fail), set())


@case
def writing_and_chmod_leave_atime(d):
    make(d / "file", b"content")

    def write():
        with opened(d / "file", os.O_WRONLY) as file:
            os.write(file, b"x")
        os.chmod(d / "file", 0o600)

    equal(reads(d / "file", write), False)


@case
def a_new_name_leaves_the_atime_of_the_directory(d):
    equal(reads(d, lambda: make(d / "file")), False)


@case
def listing_changes_atime(d):
    make(d / "file")
    assert reads(d, lambda: os.listdir(d))


@case
def looking_at_a_thing_changes_no_time(d):
    make(d / "file", b"content")

    def look():
        os.stat(d / "file")
        os.access(d / "file", os.R_OK)
        os.close(os.open(d / "file", os.O_RDONLY))

    equal(changes(d / "file", look, words=("atime", "mtime", "ctime")), set())


@case
def times_are_the_same_for_the_name_and_the_open_file(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.write(file, b"content")
        seen, named = os.fstat(file), os.stat(d / "file")
    equal((named.st_mtime_ns, named.st_ctime_ns), (seen.st_mtime_ns, seen.st_ctime_ns))
