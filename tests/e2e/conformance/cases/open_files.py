"""Files that are open while their names change."""

import mmap
import os
from errno import ENOENT

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..processes import in_child
from ..registry import case


@case
def an_unlinked_file_is_read_and_written(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        os.unlink(d / "file")
        equal(os.read(file, 10), b"content")
        os.write(file, b" and more")
        os.ftruncate(file, 12)
        equal((os.pread(file, 100, 0), os.fstat(file).st_size, os.listdir(d)), (b"content and ", 12, []))
    equal(os.listdir(d), [])


@case
def a_file_unlinked_before_it_was_ever_written_is_used(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.unlink(d / "file")
        os.write(file, b"content")
        os.fsync(file)
        equal(os.pread(file, 10, 0), b"content")
    equal(os.listdir(d), [])


@case
def an_unlinked_file_keeps_its_attributes_and_takes_new_ones(d):
    make(d / "file", b"content", 0o640)
    with opened(d / "file", os.O_RDWR) as file:
        os.unlink(d / "file")
        equal(mode_of(file), 0o640)
        os.fchmod(file, 0o600)
        os.utime(file, ns=(5_000_000_001, 6_000_000_002))
        equal((mode_of(file), os.fstat(file).st_mtime_ns), (0o600, 6_000_000_002))


@case
def a_new_file_under_an_unlinked_name_is_another(d):
    make(d / "file", b"old")
    with opened(d / "file", os.O_RDWR) as old:
        os.unlink(d / "file")
        make(d / "file", b"new")
        assert os.fstat(old).st_ino != os.stat(d / "file").st_ino
        os.pwrite(old, b"OLD", 0)
        equal((os.pread(old, 10, 0), content(d / "file")), (b"OLD", b"new"))
    equal(content(d / "file"), b"new")


@case
def an_unlinked_file_is_opened_again_through_proc(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        os.unlink(d / "file")
        with opened(f"/proc/self/fd/{file}") as again:
            equal(os.read(again, 10), b"content")


@case
def a_child_goes_on_with_an_unlinked_file(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        os.unlink(d / "file")
        in_child(lambda: os.pwrite(file, b"C", 0))
        equal(os.pread(file, 10, 0), b"Content")


@case(guard=20)
def an_unlinked_file_is_mapped(d):
    make(d / "file", bytes(8192))
    with opened(d / "file", os.O_RDWR) as file:
        os.unlink(d / "file")
        with mmap.mmap(file, 8192) as view:
            view[5000:5003] = b"NEW"
            equal(os.pread(file, 3, 5000), b"NEW")


@case
def a_file_is_renamed_again_and_again_while_it_is_written(d):
    make_directory(d / "directory")
    with opened(d / "0", os.O_CREAT | os.O_WRONLY) as file:
        for number in range(5):
            os.write(file, b"%d" % number)
            os.rename(d / str(number), d / str(number + 1))
        os.rename(d / "5", d / "directory" / "file")
    equal((os.listdir(d), content(d / "directory" / "file")), (["directory"], b"01234"))


@case
def a_file_is_renamed_and_unlinked_while_it_is_open(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.write(file, b"content")
        os.rename(d / "file", d / "renamed")
        os.unlink(d / "renamed")
        equal((os.pread(file, 10, 0), os.fstat(file).st_nlink), (b"content", 0))
    equal(os.listdir(d), [])


@case
def a_file_replaced_while_it_is_written_is_not_seen_again(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as old:
        os.write(old, b"old")
        make(d / "new", b"new")
        os.rename(d / "new", d / "file")
        os.write(old, b" and more")
        equal(os.pread(old, 20, 0), b"old and more")
    equal((os.listdir(d), content(d / "file")), (["file"], b"new"))


@case
def two_open_files_change_places(d):
    with opened(d / "one", os.O_CREAT | os.O_WRONLY) as one, opened(d / "other", os.O_CREAT | os.O_WRONLY) as other:
        os.write(one, b"1")
        os.write(other, b"2")
        os.rename(d / "one", d / "temporary")
        os.rename(d / "other", d / "one")
        os.rename(d / "temporary", d / "other")
        os.write(one, b"1")
        os.write(other, b"2")
    equal((content(d / "one"), content(d / "other"), sorted(os.listdir(d))), (b"22", b"11", ["one", "other"]))


@case
def who_opens_by_the_new_name_meets_the_one_who_writes(d):
    with opened(d / "old", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"one")
        os.rename(d / "old", d / "new")
        with opened(d / "new", os.O_RDWR | os.O_APPEND) as other:
            os.write(other, b"two")
            equal(os.pread(other, 10, 0), b"onetwo")
        with refused(ENOENT):
            os.open(d / "old", os.O_RDONLY)
    equal(content(d / "new"), b"onetwo")
