"""rmdir(2)."""

import os
from errno import EACCES, EEXIST, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY

from ..checks import equal, make, make_directory, opened, refused
from ..registry import ORDINARY, case


@case
def an_empty_directory_goes(d):
    make_directory(d / "directory")
    os.rmdir(d / "directory")
    equal(os.listdir(d), [])
    with refused(ENOENT):
        os.stat(d / "directory")


@case
def the_name_can_be_used_again(d):
    for _ in range(3):
        make_directory(d / "name")
        os.rmdir(d / "name")
    make(d / "name")
    equal(os.listdir(d), ["name"])


@case
def a_directory_that_was_emptied_goes(d):
    make_directory(d / "directory", "file")
    os.unlink(d / "directory" / "file")
    os.rmdir(d / "directory")
    equal(os.listdir(d), [])


@case
def a_directory_whose_open_file_was_unlinked_goes(d):
    make_directory(d / "directory", "file")
    with opened(d / "directory" / "file", os.O_RDWR) as file:
        os.unlink(d / "directory" / "file")
        os.rmdir(d / "directory")
        os.write(file, b"x")
    equal(os.listdir(d), [])


@case
def a_slash_at_the_end_is_allowed(d):
    make_directory(d / "directory")
    os.rmdir(f"{d}/directory/")
    equal(os.listdir(d), [])


@case
def an_open_directory_is_empty_afterwards(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.rmdir(d / "directory")
        equal(os.listdir(directory), [])


@case
def the_directory_a_process_stands_in_goes(d):
    make_directory(d / "directory")
    os.chdir(d / "directory")
    os.rmdir(d / "directory")
    with refused(ENOENT):
        os.getcwd()
    with refused(ENOENT):
        make("file")


@case
def a_directory_that_is_not_empty_is_refused(d):
    make_directory(d / "with a file", "file")
    make_directory(make_directory(d / "with a directory") / "inner")
    for name in ("with a file", "with a directory"):
        with refused(ENOTEMPTY, EEXIST):
            os.rmdir(d / name)
    equal(os.listdir(d / "with a file"), ["file"])


@case
def a_directory_with_a_link_is_not_empty(d):
    os.symlink("nothing", make_directory(d / "directory") / "link")
    with refused(ENOTEMPTY, EEXIST):
        os.rmdir(d / "directory")


@case
def a_directory_with_a_file_that_is_being_made_is_not_empty(d):
    make_directory(d / "directory")
    with opened(d / "directory" / "file", os.O_CREAT | os.O_WRONLY), refused(ENOTEMPTY, EEXIST):
        os.rmdir(d / "directory")


@case
def dot_is_einval_and_dotdot_is_not_empty(d):
    make_directory(d / "directory")
    with refused(EINVAL):
        os.rmdir(f"{d}/directory/.")
    with refused(ENOTEMPTY, EEXIST):
        os.rmdir(f"{d}/directory/..")


@case
def what_is_no_directory_is_enotdir(d):
    make(d / "file")
    for path in (d / "file", d / "file" / "name"):
        with refused(ENOTDIR):
            os.rmdir(path)


@case
def a_link_to_a_directory_is_enotdir(d):
    make_directory(d / "directory")
    os.symlink("directory", d / "link")
    with refused(ENOTDIR):
        os.rmdir(d / "link")


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", d / "no" / "directory", ""):
        with refused(ENOENT):
            os.rmdir(path)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        os.rmdir(d / "a" / "directory")


@case
def a_name_of_256_bytes_is_enametoolong(d):
    with refused(ENAMETOOLONG):
        os.rmdir(d / ("n" * 256))


@case(user=ORDINARY)
def without_the_right_to_write_the_parent_it_is_eacces(d):
    make_directory(make_directory(d / "directory") / "inner")
    os.chmod(d / "directory", 0o500)
    with refused(EACCES):
        os.rmdir(d / "directory" / "inner")


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(make_directory(d / "directory") / "inner")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        os.rmdir(d / "directory" / "inner")


@case(user=ORDINARY)
def a_directory_without_rights_of_its_own_goes(d):
    os.mkdir(d / "directory", 0)
    os.rmdir(d / "directory")
    equal(os.listdir(d), [])
