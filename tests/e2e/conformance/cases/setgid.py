"""Directories with the setgid bit: what is made in them has their group."""

import os

from ..checks import equal, make, make_directory, mode_of
from ..processes import OTHER, THIRD, as_user
from ..registry import ROOT, case


def group_directory(d):
    """A directory of group THIRD with the setgid bit, which OTHER may write."""
    os.chmod(d, 0o755)
    made = make_directory(d / "directory")
    os.chown(made, OTHER, THIRD)
    os.chmod(made, 0o2775)
    return made


@case(user=ROOT)
def a_new_file_has_the_group_of_its_directory(d):
    directory = group_directory(d)
    as_user(lambda: make(directory / "file") and None)
    seen = os.stat(directory / "file")
    equal((seen.st_uid, seen.st_gid, mode_of(directory / "file") & 0o2000), (OTHER, THIRD, 0))


@case(user=ROOT)
def a_new_directory_has_the_group_and_the_bit(d):
    directory = group_directory(d)
    as_user(lambda: os.mkdir(directory / "inner"))
    seen = os.stat(directory / "inner")
    equal((seen.st_gid, mode_of(directory / "inner") & 0o2000), (THIRD, 0o2000))


@case(user=ROOT)
def a_new_link_and_a_new_fifo_have_the_group(d):
    directory = group_directory(d)
    as_user(lambda: os.symlink("nothing", directory / "link"))
    as_user(lambda: os.mkfifo(directory / "fifo"))
    equal([os.lstat(directory / name).st_gid for name in ("link", "fifo")], [THIRD, THIRD])


@case(user=ROOT)
def what_is_moved_in_keeps_its_group(d):
    directory = group_directory(d)
    make(d / "file")
    os.rename(d / "file", directory / "file")
    equal(os.stat(directory / "file").st_gid, 0)


@case(user=ROOT)
def without_the_bit_it_is_the_group_of_who_makes_it(d):
    directory = group_directory(d)
    os.chmod(directory, 0o775)
    as_user(lambda: make(directory / "file") and None)
    as_user(lambda: os.mkdir(directory / "inner"))
    equal([os.stat(directory / name).st_gid for name in ("file", "inner")], [OTHER, OTHER])


@case(user=ROOT)
def a_setgid_program_is_not_made_for_a_group_of_others(d):
    directory = group_directory(d)
    as_user(lambda: os.close(os.open(directory / "file", os.O_CREAT | os.O_WRONLY, 0o2775)))
    equal(mode_of(directory / "file") & 0o2000, 0)


@case(user=ROOT)
def it_holds_at_every_depth(d):
    directory = group_directory(d)
    as_user(lambda: os.makedirs(directory / "one" / "two"))
    as_user(lambda: make(directory / "one" / "two" / "file") and None)
    equal(os.stat(directory / "one" / "two" / "file").st_gid, THIRD)
