"""open(2): the flags beside creation: O_DIRECTORY, O_NOFOLLOW, O_PATH, O_TMPFILE, O_DIRECT, O_SYNC, O_NOATIME."""

import fcntl
import mmap
import os
import stat
from errno import EBADF, EINVAL, ELOOP, ENOENT, ENOTDIR, EPERM

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..libc import AT_SYMLINK_FOLLOW, linkat
from ..processes import as_user
from ..registry import ORDINARY, ROOT, case

NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR


@case
def o_directory_takes_directories_alone(d):
    make(d / "file")
    with opened(d, os.O_RDONLY | os.O_DIRECTORY) as directory:
        equal(os.listdir(directory), ["file"])
    with refused(ENOTDIR):
        os.open(d / "file", os.O_RDONLY | os.O_DIRECTORY)


@case
def o_directory_follows_a_link(d):
    make_directory(d / "directory", "inner")
    os.symlink("directory", d / "link")
    with opened(d / "link", os.O_RDONLY | os.O_DIRECTORY) as directory:
        equal(os.listdir(directory), ["inner"])


@case
def o_nofollow_refuses_a_link_at_the_end_of_the_path(d):
    make(d / "file")
    os.symlink("file", d / "link")
    with refused(ELOOP):
        os.open(d / "link", os.O_RDONLY | os.O_NOFOLLOW)


@case
def o_nofollow_follows_links_on_the_way(d):
    make_directory(d / "directory", "inner")
    os.symlink("directory", d / "link")
    os.close(os.open(d / "link" / "inner", os.O_RDONLY | os.O_NOFOLLOW))


@case
def o_path_is_a_place_and_no_content(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_PATH) as place:
        equal(os.fstat(place).st_ino, os.stat(d / "file").st_ino)
        for call in (lambda: os.read(place, 1), lambda: os.write(place, b"x"), lambda: os.fchmod(place, 0o600), lambda: os.ftruncate(place, 0)):
            with refused(EBADF, EINVAL):
                call()


@case
def o_path_of_a_link_is_the_link(d):
    os.symlink("nothing", d / "link")
    with opened(d / "link", os.O_PATH | os.O_NOFOLLOW) as place:
        assert stat.S_ISLNK(os.fstat(place).st_mode)
        equal(os.readlink("", dir_fd=place), "nothing")


@case
def o_path_of_a_directory_serves_the_at_calls(d):
    make_directory(d / "directory", "inner")
    with opened(d / "directory", os.O_PATH | os.O_DIRECTORY) as place:
        os.close(os.open("inner", os.O_RDONLY, dir_fd=place))
        os.mkdir("made", dir_fd=place)
    equal(sorted(os.listdir(d / "directory")), ["inner", "made"])


@case
def o_path_is_opened_again_through_proc(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_PATH) as place:
        equal(content(f"/proc/self/fd/{place}"), b"content")


@case(user=ORDINARY)
def o_path_asks_for_no_permission_on_the_file(d):
    make(d / "file", mode=0)
    os.close(os.open(d / "file", os.O_PATH))


@case
def o_tmpfile_has_no_name_and_keeps_bytes(d):
    with opened(d, os.O_TMPFILE | os.O_RDWR, 0o600) as file:
        os.write(file, b"content")
        equal(os.pread(file, 10, 0), b"content")
        equal((os.fstat(file).st_nlink, os.listdir(d)), (0, []))
    equal(os.listdir(d), [])


@case
def o_tmpfile_is_given_a_name_by_link(d):
    with opened(d, os.O_TMPFILE | os.O_RDWR, 0o640) as file:
        os.write(file, b"content")
        linkat(f"/proc/self/fd/{file}", d / "file", AT_SYMLINK_FOLLOW)
        equal(os.fstat(file).st_nlink, 1)
    equal((content(d / "file"), mode_of(d / "file")), (b"content", 0o640))


@case
def o_tmpfile_with_o_excl_is_never_given_a_name(d):
    with opened(d, os.O_TMPFILE | os.O_RDWR | os.O_EXCL) as file, refused(ENOENT):
        linkat(f"/proc/self/fd/{file}", d / "file", AT_SYMLINK_FOLLOW)


@case
def o_tmpfile_must_be_writable_and_in_a_directory(d):
    make(d / "file")
    with refused(EINVAL):
        os.open(d, os.O_TMPFILE | os.O_RDONLY)
    with refused(ENOTDIR):
        os.open(d / "file", os.O_TMPFILE | os.O_RDWR)


@case(guard=20)
def o_direct_writes_and_reads_aligned_blocks(d):
    with mmap.mmap(-1, 8192) as block:
        block[:] = bytes(range(256)) * 32
        with opened(d / "file", os.O_CREAT | os.O_RDWR | os.O_DIRECT) as file:
            equal(os.write(file, block), 8192)
            equal(os.lseek(file, 4096, os.SEEK_SET), 4096)
            with mmap.mmap(-1, 4096) as half:
                equal(os.readv(file, [half]), 4096)
                equal(half[:], block[4096:])
        equal(content(d / "file"), block[:])


@case(guard=20)
def o_direct_and_the_page_cache_see_the_same_bytes(d):
    make(d / "file", b"a" * 8192)
    equal(content(d / "file"), b"a" * 8192)
    with mmap.mmap(-1, 4096) as block:
        block[:] = b"b" * 4096
        with opened(d / "file", os.O_WRONLY | os.O_DIRECT) as file:
            os.write(file, block)
    equal(content(d / "file"), b"b" * 4096 + b"a" * 4096)


@case
def o_sync_and_o_dsync_write_and_are_remembered(d):
    for name, flag in (("sync", os.O_SYNC), ("dsync", os.O_DSYNC)):
        with opened(d / name, NEW | flag) as file:
            os.write(file, b"content")
            equal(fcntl.fcntl(file, fcntl.F_GETFL) & flag, flag)
        equal(content(d / name), b"content")


@case
def the_access_mode_is_remembered(d):
    make(d / "file")
    for mode in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        with opened(d / "file", mode) as file:
            equal(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE, mode)


@case(user=ROOT)
def o_noatime_is_for_the_owner(d):
    make(d / "file", b"x")
    os.close(os.open(d / "file", os.O_RDONLY | os.O_NOATIME))
    with refused(EPERM):
        as_user(lambda: os.open(d / "file", os.O_RDONLY | os.O_NOATIME))
