"""chmod(2), fchmod(2), fchmodat(2)."""

import os
from errno import EACCES, EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..processes import OTHER, THIRD, as_user
from ..registry import ORDINARY, ROOT, case
from ..times import changes


@case
def all_twelve_bits_of_a_file_are_kept(d):
    make(d / "file")
    for mode in (0, 0o777, 0o4755, 0o2711, 0o1644, 0o7777, 0o421):
        os.chmod(d / "file", mode)
        equal(mode_of(d / "file"), mode)


@case
def all_twelve_bits_of_a_directory_are_kept(d):
    make_directory(d / "directory")
    for mode in (0, 0o777, 0o1777, 0o2755, 0o7777, 0o500):
        os.chmod(d / "directory", mode)
        equal(mode_of(d / "directory"), mode)


@case
def bytes_and_mtime_stay(d):
    make(d / "file", b"content")
    os.utime(d / "file", ns=(5_000_000_001, 6_000_000_002))
    os.chmod(d / "file", 0o600)
    equal((content(d / "file"), os.stat(d / "file").st_mtime_ns), (b"content", 6_000_000_002))


@case
def only_ctime_changes(d):
    make(d / "file")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        equal(changes(d / name, lambda: os.chmod(d / name, 0o700)), {"ctime"})


@case
def the_same_mode_again_changes_ctime(d):
    make(d / "file")
    equal(changes(d / "file", lambda: os.chmod(d / "file", 0o644)), {"ctime"})


@case
def it_follows_a_link(d):
    make(d / "file")
    os.symlink("file", d / "link")
    os.chmod(d / "link", 0o600)
    equal(mode_of(d / "file"), 0o600)


@case
def fchmod_changes_an_open_file(d):
    make(d / "file")
    with opened(d / "file") as file:
        os.fchmod(file, 0o4700)
        equal((mode_of(file), mode_of(d / "file")), (0o4700, 0o4700))


@case
def fchmod_of_a_file_that_is_being_written_holds_after_close(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"content")
        os.fchmod(file, 0o600)
    equal((mode_of(d / "file"), content(d / "file")), (0o600, b"content"))


@case
def fchmod_of_a_directory_works(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.fchmod(directory, 0o700)
    equal(mode_of(d / "directory"), 0o700)


@case
def fchmodat_starts_at_its_directory(d):
    make_directory(d / "directory", "inner")
    with opened(d / "directory") as directory:
        os.chmod("inner", 0o600, dir_fd=directory)
    equal(mode_of(d / "directory" / "inner"), 0o600)


@case
def an_open_descriptor_keeps_its_rights(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        os.chmod(d / "file", 0)
        equal(os.read(file, 10), b"content")
        os.pwrite(file, b"C", 0)
    os.chmod(d / "file", 0o600)
    equal(content(d / "file"), b"Content")


@case
def a_file_without_a_name_can_be_changed(d):
    make(d / "file")
    with opened(d / "file") as file:
        os.unlink(d / "file")
        os.fchmod(file, 0o600)
        equal(mode_of(file), 0o600)


@case
def a_fifo_has_a_mode_too(d):
    os.mkfifo(d / "fifo")
    os.chmod(d / "fifo", 0o604)
    equal(mode_of(d / "fifo"), 0o604)


@case(user=ROOT)
def a_user_that_does_not_own_the_file_is_eperm(d):
    os.chmod(d, 0o777)
    make(d / "file")
    os.chmod(d / "file", 0o666)

    def try_all():
        with refused(EPERM):
            os.chmod(d / "file", 0o777)
        with opened(d / "file", os.O_RDWR) as file, refused(EPERM):
            os.fchmod(file, 0o777)

    as_user(try_all)
    equal(mode_of(d / "file"), 0o666)


@case(user=ROOT)
def the_setgid_bit_is_not_given_for_a_group_of_others(d):
    os.chmod(d, 0o755)
    make(d / "file")
    os.chown(d / "file", OTHER, THIRD)
    as_user(lambda: os.chmod(d / "file", 0o2755))
    equal(mode_of(d / "file"), 0o755)
    as_user(lambda: os.chmod(d / "file", 0o2755), groups=[THIRD])
    equal(mode_of(d / "file"), 0o2755)


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", d / "no" / "file", ""):
        with refused(ENOENT):
            os.chmod(path, 0o700)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    with refused(ENOTDIR):
        os.chmod(d / "file" / "name", 0o700)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        os.chmod(d / "a", 0o700)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    with refused(ENAMETOOLONG):
        os.chmod(d / ("n" * 256), 0o700)


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        os.fchmod(9999, 0o700)


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        os.chmod(d / "directory" / "inner", 0o700)
