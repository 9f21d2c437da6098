"""truncate(2)."""

import os
import subprocess
from errno import EACCES, EFBIG, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ETXTBSY

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..processes import with_a_limit
from ..registry import ORDINARY, case
from ..times import changes


@case
def it_cuts_the_end_off(d):
    make(d / "file", b"0123456789")
    os.truncate(d / "file", 4)
    equal((content(d / "file"), os.stat(d / "file").st_size), (b"0123", 4))


@case
def it_appends_zeros(d):
    make(d / "file", b"0123")
    os.truncate(d / "file", 10_000)
    equal(content(d / "file"), b"0123" + bytes(9996))


@case
def what_was_cut_off_does_not_come_back(d):
    make(d / "file", b"x" * 10_000)
    os.truncate(d / "file", 100)
    os.truncate(d / "file", 10_000)
    equal(content(d / "file"), b"x" * 100 + bytes(9900))


@case
def to_nothing_leaves_mode_and_name(d):
    make(d / "file", b"content", 0o600)
    os.truncate(d / "file", 0)
    equal((content(d / "file"), mode_of(d / "file"), os.listdir(d)), (b"", 0o600, ["file"]))


@case
def it_follows_a_link(d):
    make(d / "file", b"content")
    os.symlink("file", d / "link")
    os.truncate(d / "link", 3)
    equal(content(d / "file"), b"con")


@case
def who_has_the_file_open_sees_it(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file:
        os.truncate(d / "file", 3)
        equal((os.fstat(file).st_size, os.pread(file, 10, 0)), (3, b"con"))
        os.pwrite(file, b"!", 3)
    equal(content(d / "file"), b"con!")


@case
def a_new_size_gives_new_times(d):
    make(d / "file", b"content")
    for size in (3, 100):
        equal(changes(d / "file", lambda: os.truncate(d / "file", size)), {"mtime", "ctime"})


@case(user=ORDINARY)
def set_id_bits_are_taken_away(d):
    make(d / "file", b"content")
    os.chmod(d / "file", 0o6777)
    os.truncate(d / "file", 3)
    equal(mode_of(d / "file"), 0o777)


@case
def a_negative_size_is_einval(d):
    make(d / "file", b"content")
    with refused(EINVAL):
        os.truncate(d / "file", -1)
    equal(content(d / "file"), b"content")


@case
def a_size_beyond_every_file_is_efbig(d):
    make(d / "file", b"content")
    with refused(EFBIG, EINVAL):
        os.truncate(d / "file", (1 << 63) - 1)
    equal(content(d / "file"), b"content")


@case
def beyond_the_limit_of_the_process_it_is_efbig(d):
    make(d / "file", b"content")
    with refused(EFBIG):
        with_a_limit(8192, lambda: os.truncate(d / "file", 8193))
    equal(content(d / "file"), b"content")


@case
def a_directory_is_eisdir(d):
    make_directory(d / "directory")
    with refused(EISDIR):
        os.truncate(d / "directory", 0)


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", d / "no" / "file"):
        with refused(ENOENT):
            os.truncate(path, 0)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    with refused(ENOTDIR):
        os.truncate(d / "file" / "name", 0)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        os.truncate(d / "a", 0)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    with refused(ENAMETOOLONG):
        os.truncate(d / ("n" * 256), 0)


@case(user=ORDINARY)
def without_the_right_to_write_it_is_eacces(d):
    make(d / "file", b"content", 0o400)
    with refused(EACCES):
        os.truncate(d / "file", 0)
    equal(content(d / "file"), b"content")


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "file")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        os.truncate(d / "directory" / "file", 0)


@case(guard=20)
def a_running_program_is_etxtbsy(d):
    make(d / "program", content("/bin/sleep"), 0o755)
    process = subprocess.Popen([d / "program", "60"])
    try:
        with refused(ETXTBSY):
            os.truncate(d / "program", 0)
    finally:
        process.kill()
        process.wait()
