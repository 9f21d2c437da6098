"""utimensat(2), futimens(3)."""

import os
import time
from errno import EACCES, EBADF, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM

from ..checks import content, equal, make, make_directory, opened, refused
from ..libc import AT_SYMLINK_NOFOLLOW, UTIME_NOW, UTIME_OMIT, futimens, utimensat
from ..processes import as_user
from ..registry import ORDINARY, ROOT, case
from ..times import tick

ONE, TWO = (1_111_111_111, 123_456_789), (1_222_222_222, 987_654_321)
NOW, OMIT = (0, UTIME_NOW), (0, UTIME_OMIT)


def nanoseconds(time_of):
    return time_of[0] * 1_000_000_000 + time_of[1]


def modified(path, follow=True):
    return os.stat(path, follow_symlinks=follow).st_mtime_ns


def accessed(path, follow=True):
    return os.stat(path, follow_symlinks=follow).st_atime_ns


@case
def mtime_is_kept_to_the_nanosecond(d):
    make(d / "file", b"content")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        utimensat(d / name, ONE, TWO)
        equal(modified(d / name), nanoseconds(TWO))


@case
def atime_is_kept_to_the_nanosecond(d):
    make(d / "file", b"content")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        utimensat(d / name, ONE, TWO)
        equal(accessed(d / name), nanoseconds(ONE))


@case
def the_bytes_stay(d):
    make(d / "file", b"content")
    utimensat(d / "file", ONE, TWO)
    equal(content(d / "file"), b"content")


@case
def ctime_becomes_the_present(d):
    make(d / "file")
    before = os.stat(d / "file").st_ctime_ns
    tick()
    utimensat(d / "file", ONE, TWO)
    assert os.stat(d / "file").st_ctime_ns > before


@case
def utime_now_is_the_present(d):
    make(d / "file")
    utimensat(d / "file", ONE, TWO)
    started = time.time_ns()
    utimensat(d / "file", NOW, NOW)
    for seen in (modified(d / "file"), accessed(d / "file")):
        assert started - 20_000_000 <= seen <= time.time_ns(), seen


@case
def utime_omit_leaves_mtime(d):
    make(d / "file")
    utimensat(d / "file", ONE, TWO)
    utimensat(d / "file", TWO, OMIT)
    equal(modified(d / "file"), nanoseconds(TWO))


@case
def utime_omit_leaves_atime(d):
    make(d / "file")
    utimensat(d / "file", ONE, TWO)
    utimensat(d / "file", OMIT, ONE)
    equal((accessed(d / "file"), modified(d / "file")), (nanoseconds(ONE), nanoseconds(ONE)))


@case
def one_time_now_and_the_other_given(d):
    make(d / "file")
    utimensat(d / "file", ONE, TWO)
    started = time.time_ns()
    utimensat(d / "file", ONE, NOW)
    assert started - 20_000_000 <= modified(d / "file") <= time.time_ns()
    equal(accessed(d / "file"), nanoseconds(ONE))


@case
def both_omitted_change_nothing(d):
    make(d / "file")
    utimensat(d / "file", ONE, TWO)
    before = os.stat(d / "file")
    tick()
    utimensat(d / "file", OMIT, OMIT)
    equal(os.stat(d / "file"), before)


@case
def no_times_are_the_present(d):
    make(d / "file")
    utimensat(d / "file", ONE, TWO)
    started = time.time_ns()
    os.utime(d / "file")
    assert started - 20_000_000 <= modified(d / "file") <= time.time_ns()


@case
def times_before_1970_are_kept(d):
    make(d / "file")
    for seconds in (-1, -1_000_000_000):
        utimensat(d / "file", (seconds, 5), (seconds, 7))
        equal(modified(d / "file"), seconds * 1_000_000_000 + 7)


@case
def times_beyond_2038_and_2106_are_kept(d):
    make(d / "file")
    for seconds in (1 << 31, 1 << 32, 9_000_000_000):
        utimensat(d / "file", (seconds, 0), (seconds, 7))
        equal(modified(d / "file"), seconds * 1_000_000_000 + 7)


@case
def a_time_that_cannot_be_kept_becomes_the_last_one_that_can(d):
    """The year 2286: 64 bits of nanoseconds end before, and other file systems later."""
    make(d / "file")
    utimensat(d / "file", (10_000_000_000, 0), (10_000_000_000, 7))
    assert 9_000_000_000 < os.stat(d / "file").st_mtime <= 10_000_000_001, os.stat(d / "file").st_mtime


@case
def a_link_is_followed(d):
    make(d / "file")
    os.symlink("file", d / "link")
    utimensat(d / "link", ONE, TWO)
    equal(modified(d / "file"), nanoseconds(TWO))
    assert modified(d / "link", follow=False) != nanoseconds(TWO)


@case
def a_link_has_times_of_its_own(d):
    os.symlink("nothing", d / "link")
    utimensat(d / "link", ONE, TWO, AT_SYMLINK_NOFOLLOW)
    equal(modified(d / "link", follow=False), nanoseconds(TWO))


@case
def futimens_changes_an_open_file(d):
    make(d / "file")
    with opened(d / "file") as file:
        futimens(file, ONE, TWO)
        equal((os.fstat(file).st_mtime_ns, modified(d / "file")), (nanoseconds(TWO), nanoseconds(TWO)))


@case
def futimens_of_a_file_that_is_being_written_holds_after_close(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"content")
        futimens(file, ONE, TWO)
    equal((modified(d / "file"), content(d / "file")), (nanoseconds(TWO), b"content"))


@case
def it_starts_at_its_directory(d):
    make_directory(d / "directory", "inner")
    with opened(d / "directory") as directory:
        utimensat("inner", ONE, TWO, dir_fd=directory)
    equal(modified(d / "directory" / "inner"), nanoseconds(TWO))


@case(user=ROOT)
def who_does_not_own_the_file_may_not_choose_a_time(d):
    os.chmod(d, 0o755)
    make(d / "file")
    os.chmod(d / "file", 0o666)
    for times in ((ONE, TWO), (ONE, NOW), (OMIT, TWO), (NOW, OMIT)):
        with refused(EPERM):
            as_user(lambda: utimensat(d / "file", *times))


@case(user=ROOT)
def who_may_write_may_say_now(d):
    os.chmod(d, 0o755)
    make(d / "file")
    os.chmod(d / "file", 0o646)
    utimensat(d / "file", ONE, TWO)
    as_user(lambda: utimensat(d / "file", NOW, NOW))
    assert modified(d / "file") > nanoseconds(TWO)


@case(user=ROOT)
def who_may_not_write_may_not_say_now(d):
    os.chmod(d, 0o755)
    make(d / "file")
    for call in (lambda: utimensat(d / "file", NOW, NOW), lambda: os.utime(d / "file")):
        with refused(EACCES):
            as_user(call)


@case
def nanoseconds_out_of_range_are_einval(d):
    make(d / "file")
    for wrong in ((1, 1_000_000_000), (1, -1)):
        with refused(EINVAL):
            utimensat(d / "file", ONE, wrong)
        with refused(EINVAL):
            utimensat(d / "file", wrong, ONE)


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", d / "no" / "file"):
        with refused(ENOENT):
            utimensat(path, ONE, TWO)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    with refused(ENOTDIR):
        utimensat(d / "file" / "name", ONE, TWO)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        utimensat(d / "a", ONE, TWO)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    with refused(ENAMETOOLONG):
        utimensat(d / ("n" * 256), ONE, TWO)


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        futimens(9999, ONE, TWO)


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        utimensat(d / "directory" / "inner", ONE, TWO)


@case(user=ORDINARY)
def the_owner_needs_no_right_to_write(d):
    make(d / "file", mode=0)
    utimensat(d / "file", ONE, TWO)
    equal(modified(d / "file"), nanoseconds(TWO))
