"""symlink(2), readlink(2), and paths through links."""

import os
import stat
from errno import EACCES, EEXIST, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from ..checks import content, equal, make, make_directory, opened, refused
from ..registry import ORDINARY, case


@case
def the_target_is_kept_as_it_was_given(d):
    for number, target in enumerate(("file", "../x/./y//", "/absolute", "with space", "ümläut", ".")):
        os.symlink(target, d / str(number))
        equal(os.readlink(d / str(number)), target)


@case
def a_target_of_any_bytes_is_kept(d):
    os.symlink(b"\xff\xfe\n", os.fsencode(d / "link"))
    equal(os.readlink(os.fsencode(d / "link")), b"\xff\xfe\n")


@case
def a_target_of_a_thousand_bytes_is_kept(d):
    target = "/".join(["t" * 199] * 5)
    os.symlink(target, d / "link")
    equal((os.readlink(d / "link") == target, os.lstat(d / "link").st_size), (True, 999))


@case
def its_size_is_that_of_the_target_and_its_mode_is_of_a_link(d):
    os.symlink("nothing", d / "link")
    seen = os.lstat(d / "link")
    equal((seen.st_size, stat.S_ISLNK(seen.st_mode), seen.st_nlink, seen.st_uid), (7, True, 1, os.geteuid()))


@case
def reading_and_writing_go_to_the_target(d):
    make(d / "file", b"content")
    os.symlink("file", d / "link")
    with opened(d / "link", os.O_RDWR | os.O_TRUNC) as file:
        os.write(file, b"new")
    equal((content(d / "file"), content(d / "link")), (b"new", b"new"))


@case
def links_are_followed_on_the_way(d):
    make_directory(make_directory(d / "one") / "two", "file")
    os.symlink("one", d / "a")
    os.symlink("../a/two", d / "one" / "b")
    os.symlink(str(d / "one" / "b"), d / "c")
    equal(os.listdir(d / "c"), ["file"])
    os.stat(d / "a" / "b" / "file")


@case
def forty_links_behind_each_other_are_followed_and_41_are_eloop(d):
    make(d / "0", b"content")
    for number in range(1, 42):
        os.symlink(str(number - 1), d / str(number))
    equal(content(d / "40"), b"content")
    with refused(ELOOP):
        os.stat(d / "41")


@case
def a_link_is_listed_as_a_link(d):
    os.symlink("nothing", d / "link")
    with os.scandir(d) as entries:
        equal([(entry.name, entry.is_symlink()) for entry in entries], [("link", True)])


@case
def a_link_to_a_directory_is_no_directory_for_who_walks(d):
    make_directory(d / "directory")
    os.symlink("directory", d / "link")
    with os.scandir(d) as entries:
        equal({entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}, {"directory": True, "link": False})


@case
def symlinkat_and_readlinkat_start_at_their_directory(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.symlink("nothing", "link", dir_fd=directory)
        equal(os.readlink("link", dir_fd=directory), "nothing")


@case
def readlink_of_what_is_no_link_is_einval(d):
    make(d / "file")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        with refused(EINVAL):
            os.readlink(d / name)


@case
def a_name_that_is_taken_is_eexist(d):
    make(d / "file")
    make_directory(d / "directory")
    os.symlink("nothing", d / "link")
    for name in ("file", "directory", "link"):
        with refused(EEXIST):
            os.symlink("other", d / name)


@case
def an_empty_target_is_enoent(d):
    with refused(ENOENT):
        os.symlink("", d / "link")


@case
def what_is_not_there_is_enoent(d):
    with refused(ENOENT):
        os.symlink("target", d / "no" / "link")
    for path in (d / "no", d / "no" / "link"):
        with refused(ENOENT):
            os.readlink(path)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    with refused(ENOTDIR):
        os.symlink("target", d / "file" / "link")
    with refused(ENOTDIR):
        os.readlink(d / "file" / "link")


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        os.symlink("target", d / "a" / "link")
    with refused(ELOOP):
        os.readlink(d / "a" / "link")


@case
def names_and_targets_that_are_too_long_are_enametoolong(d):
    with refused(ENAMETOOLONG):
        os.symlink("target", d / ("n" * 256))
    with refused(ENAMETOOLONG):
        os.symlink("t" * 4096, d / "link")


@case(user=ORDINARY)
def without_the_right_to_write_the_directory_it_is_eacces(d):
    os.mkdir(d / "directory", 0o500)
    with refused(EACCES):
        os.symlink("target", d / "directory" / "link")


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    os.symlink("target", make_directory(d / "directory") / "link")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        os.readlink(d / "directory" / "link")
