"""mkdir(2) and mkdirat(2)."""

import os
import stat
from errno import EACCES, EEXIST, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from ..checks import equal, make, make_directory, mode_of, opened, refused
from ..registry import ORDINARY, case
from ..times import changes


@case
def it_makes_an_empty_directory(d):
    os.mkdir(d / "new")
    assert stat.S_ISDIR(os.stat(d / "new").st_mode)
    equal(os.listdir(d / "new"), [])
    equal((os.stat(d / "new").st_uid, os.stat(d / "new").st_gid), (os.geteuid(), os.getegid()))


@case
def the_mode_is_masked_by_the_umask(d):
    os.umask(0o027)
    os.mkdir(d / "new", 0o777)
    equal(mode_of(d / "new"), 0o750)


@case
def the_sticky_bit_can_be_given(d):
    os.umask(0)
    os.mkdir(d / "new", 0o1777)
    equal(mode_of(d / "new"), 0o1777)


@case
def a_mode_of_nothing_is_kept(d):
    os.mkdir(d / "new", 0)
    equal(mode_of(d / "new"), 0)


@case
def the_parent_gets_new_times(d):
    equal(changes(d, lambda: os.mkdir(d / "new")), {"mtime", "ctime"})


@case
def mkdirat_starts_at_its_directory(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.mkdir("new", dir_fd=directory)
    equal(os.listdir(d / "directory"), ["new"])


@case
def a_slash_at_the_end_is_allowed(d):
    os.mkdir(f"{d}/new/")
    equal(os.listdir(d), ["new"])


@case
def what_is_there_is_eexist(d):
    make(d / "file")
    make_directory(d / "directory")
    os.symlink("nothing", d / "link")
    for name in ("file", "directory", "link", ".", ".."):
        with refused(EEXIST):
            os.mkdir(f"{d}/{name}")


@case
def below_nothing_is_enoent(d):
    for path in (d / "no" / "new", ""):
        with refused(ENOENT):
            os.mkdir(path)


@case
def in_a_removed_directory_is_enoent(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.rmdir(d / "directory")
        with refused(ENOENT):
            os.mkdir("new", dir_fd=directory)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    with refused(ENOTDIR):
        os.mkdir(d / "file" / "new")


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        os.mkdir(d / "a" / "new")


@case
def a_name_of_256_bytes_is_enametoolong(d):
    with refused(ENAMETOOLONG):
        os.mkdir(d / ("n" * 256))


@case(user=ORDINARY)
def without_the_right_to_write_it_is_eacces(d):
    os.mkdir(d / "directory", 0o500)
    with refused(EACCES):
        os.mkdir(d / "directory" / "new")


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    os.mkdir(d / "directory", 0o600)
    with refused(EACCES):
        os.mkdir(d / "directory" / "new")
