"""link(2) and linkat(2)."""

import os
from errno import EACCES, EEXIST, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..libc import AT_SYMLINK_FOLLOW, linkat
from ..registry import ORDINARY, case


@case
def a_file_has_two_names(d):
    make(d / "one", b"content")
    os.link(d / "one", d / "other")
    one, other = os.stat(d / "one"), os.stat(d / "other")
    equal((one.st_ino, one.st_nlink, content(d / "other")), (other.st_ino, 2, b"content"))


@case
def what_is_written_under_one_name_is_read_under_the_other(d):
    make(d / "one", b"content")
    os.link(d / "one", d / "other")
    with opened(d / "one", os.O_WRONLY) as file:
        os.write(file, b"C")
    os.chmod(d / "other", 0o600)
    equal((content(d / "other"), mode_of(d / "one")), (b"Content", 0o600))


@case
def an_open_file_is_given_another_name(d):
    with opened(d / "one", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"one")
        os.link(d / "one", d / "other")
        os.write(file, b"two")
        equal(os.fstat(file).st_nlink, 2)
    equal(content(d / "other"), b"onetwo")


@case
def a_link_is_given_another_name_itself(d):
    os.symlink("nothing", d / "link")
    os.link(d / "link", d / "other", follow_symlinks=False)
    equal(os.readlink(d / "other"), "nothing")


@case
def linkat_follows_a_link_when_it_is_told_to(d):
    make(d / "file", b"content")
    os.symlink("file", d / "link")
    linkat(d / "link", d / "other", AT_SYMLINK_FOLLOW)
    equal((os.path.islink(d / "other"), content(d / "other")), (False, b"content"))


@case
def linkat_starts_at_its_directories(d):
    make_directory(d / "one", "file")
    make_directory(d / "other")
    with opened(d / "one") as one, opened(d / "other") as other:
        os.link("file", "name", src_dir_fd=one, dst_dir_fd=other)
    equal(os.listdir(d / "other"), ["name"])


@case
def a_name_that_is_taken_is_eexist(d):
    make(d / "file", b"content")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        with refused(EEXIST):
            os.link(d / "file", d / name)


@case
def a_directory_is_eperm(d):
    make_directory(d / "directory")
    with refused(EPERM):
        os.link(d / "directory", d / "other")


@case
def what_is_not_there_is_enoent(d):
    make(d / "file")
    for source, target in (("no", "new"), ("file", "no/new")):
        with refused(ENOENT):
            os.link(d / source, d / target)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    make(d / "other")
    for source, target in (("file/name", "new"), ("other", "file/name")):
        with refused(ENOTDIR):
            os.link(d / source, d / target)


@case
def links_in_a_circle_are_eloop(d):
    make(d / "file")
    os.symlink("a", d / "a")
    for source, target in (("a/file", "new"), ("file", "a/new")):
        with refused(ELOOP):
            os.link(d / source, d / target)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    make(d / "file")
    with refused(ENAMETOOLONG):
        os.link(d / "file", d / ("n" * 256))


@case(user=ORDINARY)
def without_the_right_to_write_the_directory_it_is_eacces(d):
    make(d / "file")
    os.mkdir(d / "directory", 0o500)
    with refused(EACCES):
        os.link(d / "file", d / "directory" / "name")
