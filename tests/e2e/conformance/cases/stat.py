"""stat(2), lstat(2), fstat(2), fstatat(2)."""

import os
import socket
import stat
from errno import EACCES, EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from ..checks import equal, make, make_directory, opened, refused
from ..registry import ORDINARY, case


@case
def each_kind_of_file_is_told(d):
    os.chdir(d)
    make("file")
    os.mkdir("directory")
    os.symlink("file", "link")
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    kinds = {name: stat.S_IFMT(os.lstat(name).st_mode) for name in os.listdir()}
    equal(kinds, {"file": stat.S_IFREG, "directory": stat.S_IFDIR, "link": stat.S_IFLNK, "fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK})


@case
def the_size_is_that_of_the_bytes(d):
    for size in (0, 1, 4096, 100_000):
        equal(os.stat(make(d / str(size), bytes(size))).st_size, size)


@case
def a_file_with_bytes_has_blocks(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"x" * 100_000)
        os.fsync(file)
    seen = os.stat(d / "file")
    assert seen.st_blocks * 512 >= 100_000, seen.st_blocks
    assert seen.st_blksize > 0


@case
def a_hole_has_no_blocks(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.ftruncate(file, 4 << 20)
        os.fsync(file)
        seen = os.fstat(file)
    assert seen.st_blocks * 512 < 4 << 20, seen.st_blocks


@case
def a_file_has_one_name(d):
    make(d / "file")
    equal(os.stat(d / "file").st_nlink, 1)


@case
def a_file_without_a_name_has_none(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        os.unlink(d / "file")
        equal((os.fstat(file).st_nlink, os.fstat(file).st_size), (0, 7))


@case
def a_directory_without_a_name_has_none(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.rmdir(d / "directory")
        equal(os.fstat(directory).st_nlink, 0)


@case
def device_and_inode_tell_files_apart(d):
    names = [make(d / "one"), make(d / "other"), make_directory(d / "directory")]
    seen = [(os.stat(name).st_dev, os.stat(name).st_ino) for name in names]
    equal((len(set(seen)), len({device for device, _ in seen})), (3, 1))


@case
def an_inode_keeps_its_number(d):
    make(d / "file", b"content")
    before = os.stat(d / "file").st_ino
    with opened(d / "file", os.O_WRONLY) as file:
        os.write(file, b"x")
        equal(os.fstat(file).st_ino, before)
    os.rename(d / "file", d / "renamed")
    os.chmod(d / "renamed", 0o600)
    equal(os.stat(d / "renamed").st_ino, before)


@case
def stat_follows_a_link_and_lstat_does_not(d):
    make(d / "file", b"content")
    os.symlink("file", d / "link")
    equal(os.stat(d / "link").st_ino, os.stat(d / "file").st_ino)
    assert stat.S_ISLNK(os.lstat(d / "link").st_mode)
    equal(os.lstat(d / "link").st_size, 4)


@case
def lstat_follows_links_on_the_way(d):
    make_directory(d / "directory", "inner")
    os.symlink("directory", d / "link")
    equal(os.lstat(d / "link" / "inner").st_ino, os.stat(d / "directory" / "inner").st_ino)


@case
def a_slash_behind_a_link_follows_it(d):
    make_directory(d / "directory")
    os.symlink("directory", d / "link")
    assert stat.S_ISDIR(os.lstat(f"{d}/link/").st_mode)


@case
def dot_and_dotdot_are_the_directory_and_its_parent(d):
    make_directory(d / "directory")
    equal((os.stat(d / "directory" / ".").st_ino, os.stat(f"{d}/directory/..").st_ino), (os.stat(d / "directory").st_ino, os.stat(d).st_ino))


@case
def fstat_tells_the_same_as_stat(d):
    make(d / "file", b"content")
    with opened(d / "file") as file:
        equal(os.fstat(file), os.stat(d / "file"))


@case
def fstatat_starts_at_its_directory(d):
    make_directory(d / "directory", "inner")
    with opened(d / "directory") as directory:
        equal(os.stat("inner", dir_fd=directory).st_ino, os.stat(d / "directory" / "inner").st_ino)


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", d / "no" / "file", ""):
        for call in (os.stat, os.lstat):
            with refused(ENOENT):
                call(path)


@case
def a_link_to_nothing_is_enoent_for_stat_alone(d):
    os.symlink("nothing", d / "link")
    os.lstat(d / "link")
    with refused(ENOENT):
        os.stat(d / "link")


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    for path in (d / "file" / "name", f"{d}/file/", f"{d}/file/."):
        for call in (os.stat, os.lstat):
            with refused(ENOTDIR):
                call(path)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("b", d / "a")
    os.symlink("a", d / "b")
    with refused(ELOOP):
        os.stat(d / "a")
    with refused(ELOOP):
        os.lstat(d / "a" / "file")


@case
def a_name_of_256_bytes_is_enametoolong(d):
    for call in (os.stat, os.lstat):
        with refused(ENAMETOOLONG):
            call(d / ("n" * 256))


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        os.fstat(9999)


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o600)
    for call in (os.stat, os.lstat):
        with refused(EACCES):
            call(d / "directory" / "inner")


@case(user=ORDINARY)
def no_right_on_the_file_itself_is_needed(d):
    make(d / "file", b"content", 0)
    equal(os.stat(d / "file").st_size, 7)
