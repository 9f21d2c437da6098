"""Directories with the sticky bit: only owners take names away."""

import os
from errno import EACCES, EPERM

from ..checks import content, equal, make, make_directory, refused
from ..processes import OTHER, THIRD, as_user
from ..registry import ROOT, case

DENIED = (EPERM, EACCES)


def sticky_directory(d):
    """As /tmp, with a file and a directory of THIRD."""
    os.chmod(d, 0o755)
    made = make_directory(d / "directory", "file")
    make_directory(made / "inner")
    for name in ("file", "inner"):
        os.chown(made / name, THIRD, THIRD)
    os.chmod(made, 0o1777)
    return made


@case(user=ROOT)
def what_belongs_to_others_is_not_removed(d):
    directory = sticky_directory(d)
    with refused(*DENIED):
        as_user(lambda: os.unlink(directory / "file"))
    with refused(*DENIED):
        as_user(lambda: os.rmdir(directory / "inner"))
    equal(sorted(os.listdir(directory)), ["file", "inner"])


@case(user=ROOT)
def what_belongs_to_others_is_not_renamed(d):
    directory = sticky_directory(d)
    for name in ("file", "inner"):
        with refused(*DENIED):
            as_user(lambda: os.rename(directory / name, directory / "new"))
    equal(sorted(os.listdir(directory)), ["file", "inner"])


@case(user=ROOT)
def what_belongs_to_others_is_not_replaced(d):
    directory = sticky_directory(d)
    as_user(lambda: make(directory / "mine", b"mine") and None)
    with refused(*DENIED):
        as_user(lambda: os.rename(directory / "mine", directory / "file"))
    equal((content(directory / "mine"), content(directory / "file")), (b"mine", b""))


@case(user=ROOT)
def what_is_ones_own_is_removed_and_renamed(d):
    directory = sticky_directory(d)

    def use():
        make(directory / "mine")
        os.rename(directory / "mine", directory / "renamed")
        os.unlink(directory / "renamed")
        os.mkdir(directory / "my directory")
        os.rmdir(directory / "my directory")

    as_user(use)
    equal(sorted(os.listdir(directory)), ["file", "inner"])


@case(user=ROOT)
def the_owner_of_the_directory_removes_all(d):
    directory = sticky_directory(d)
    os.chown(directory, OTHER, OTHER)
    as_user(lambda: os.unlink(directory / "file"))
    as_user(lambda: os.rmdir(directory / "inner"))
    equal(os.listdir(directory), [])


@case(user=ROOT)
def root_removes_all(d):
    directory = sticky_directory(d)
    os.unlink(directory / "file")
    os.rmdir(directory / "inner")
    equal(os.listdir(directory), [])


@case(user=ROOT)
def without_the_bit_who_may_write_removes_all(d):
    directory = sticky_directory(d)
    os.chmod(directory, 0o777)
    as_user(lambda: os.unlink(directory / "file"))
    as_user(lambda: os.rmdir(directory / "inner"))
    equal(os.listdir(directory), [])
