"""unlink(2) and unlinkat(2)."""

import os
import socket
from errno import EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM

from ..checks import content, equal, make, make_directory, opened, refused
from ..registry import ORDINARY, case
from ..times import changes


@case
def the_name_is_gone(d):
    make(d / "file", b"x")
    os.unlink(d / "file")
    equal(os.listdir(d), [])
    with refused(ENOENT):
        os.stat(d / "file")


@case
def a_link_goes_and_its_target_stays(d):
    make(d / "file", b"x")
    os.symlink("file", d / "link")
    os.unlink(d / "link")
    equal((os.listdir(d), content(d / "file")), (["file"], b"x"))


@case
def a_fifo_and_a_socket_go(d):
    os.chdir(d)
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    os.unlink("fifo")
    os.unlink("socket")
    equal(os.listdir(d), [])


@case
def the_other_names_of_a_file_stay(d):
    make(d / "one", b"x")
    os.link(d / "one", d / "other")
    os.unlink(d / "one")
    equal((content(d / "other"), os.stat(d / "other").st_nlink), (b"x", 1))


@case
def the_name_can_be_used_again_at_once(d):
    for number in range(5):
        make(d / "file", b"%d" % number)
        equal(content(d / "file"), b"%d" % number)
        os.unlink(d / "file")


@case
def the_parent_gets_new_times(d):
    make(d / "file")
    equal(changes(d, lambda: os.unlink(d / "file")), {"mtime", "ctime"})


@case
def an_open_file_gets_a_new_ctime(d):
    make(d / "file")
    with opened(d / "file") as file:
        equal(changes(file, lambda: os.unlink(d / "file")), {"ctime"})


@case
def another_name_of_the_file_gets_a_new_ctime(d):
    make(d / "one")
    os.link(d / "one", d / "other")
    equal(changes(d / "other", lambda: os.unlink(d / "one")), {"ctime"})


@case
def a_file_that_may_not_be_written_can_go(d):
    make(d / "file", mode=0)
    os.unlink(d / "file")
    equal(os.listdir(d), [])


@case
def unlinkat_starts_at_its_directory(d):
    make_directory(d / "directory", "file")
    with opened(d / "directory") as directory:
        os.unlink("file", dir_fd=directory)
    equal(os.listdir(d / "directory"), [])


@case
def a_directory_is_refused(d):
    make_directory(d / "directory")
    with refused(EPERM, EISDIR):
        os.unlink(d / "directory")
    equal(os.listdir(d), ["directory"])


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", d / "no" / "file", ""):
        with refused(ENOENT):
            os.unlink(path)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    for path in (d / "file" / "name", f"{d}/file/"):
        with refused(ENOTDIR):
            os.unlink(path)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        os.unlink(d / "a" / "file")


@case
def a_name_of_256_bytes_is_enametoolong(d):
    with refused(ENAMETOOLONG):
        os.unlink(d / ("n" * 256))


@case(user=ORDINARY)
def without_the_right_to_write_the_directory_it_is_eacces(d):
    make_directory(d / "directory", "file")
    os.chmod(d / "directory", 0o500)
    with refused(EACCES):
        os.unlink(d / "directory" / "file")


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "file")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        os.unlink(d / "directory" / "file")
