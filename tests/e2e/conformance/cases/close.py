"""close(2), dup(2)."""

import os
from errno import EBADF

from ..checks import content, equal, make, opened, refused
from ..processes import in_child
from ..registry import case


@case
def a_closed_descriptor_is_ebadf(d):
    make(d / "file")
    file = os.open(d / "file", os.O_RDONLY)
    os.close(file)
    for call in (lambda: os.close(file), lambda: os.fstat(file), lambda: os.read(file, 1)):
        with refused(EBADF):
            call()


@case
def what_was_written_is_there_after_close(d):
    file = os.open(d / "file", os.O_CREAT | os.O_WRONLY)
    os.write(file, b"content")
    os.close(file)
    equal((content(d / "file"), os.stat(d / "file").st_size), (b"content", 7))


@case
def what_was_written_is_there_before_close(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"content")
        equal((content(d / "file"), os.stat(d / "file").st_size, os.listdir(d)), (b"content", 7, ["file"]))


@case
def a_duplicate_goes_on_at_the_common_offset(d):
    file = os.open(d / "file", os.O_CREAT | os.O_RDWR)
    other = os.dup(file)
    os.write(file, b"one")
    os.close(file)
    os.write(other, b"two")
    equal(os.lseek(other, 0, os.SEEK_CUR), 6)
    os.close(other)
    equal(content(d / "file"), b"onetwo")


@case
def a_child_writes_at_the_common_offset(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.write(file, b"one")
        in_child(lambda: os.write(file, b"two"))
        os.write(file, b"three")
    equal(content(d / "file"), b"onetwothree")


@case
def a_file_is_closed_when_its_process_ends(d):
    def write_and_leave():
        os.write(os.open(d / "file", os.O_CREAT | os.O_WRONLY), b"content")

    in_child(write_and_leave)
    equal(content(d / "file"), b"content")


@case
def a_file_opened_twice_is_closed_twice(d):
    make(d / "file", b"content")
    one, other = os.open(d / "file", os.O_RDWR), os.open(d / "file", os.O_RDWR)
    os.write(one, b"C")
    os.close(one)
    equal(os.read(other, 10), b"Content")
    os.close(other)
