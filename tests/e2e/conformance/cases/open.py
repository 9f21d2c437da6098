"""open(2) and openat(2): creation, truncation, appending, and the errors. Other flags are in open_flags.py."""

import fcntl
import os
import socket
import stat
import subprocess
from errno import EACCES, EBADF, EEXIST, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENXIO, ETXTBSY

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..processes import as_user
from ..registry import ORDINARY, ROOT, case
from ..times import changes

NEW = os.O_CREAT | os.O_EXCL | os.O_RDWR


@case
def o_creat_makes_an_empty_regular_file(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY, 0o640):
        seen = os.stat(d / "file")
    assert stat.S_ISREG(seen.st_mode)
    equal((seen.st_size, seen.st_nlink, mode_of(d / "file")), (0, 1, 0o640))


@case
def a_new_file_belongs_to_who_makes_it(d):
    make(d / "file")
    seen = os.stat(d / "file")
    equal((seen.st_uid, seen.st_gid), (os.geteuid(), os.getegid()))


@case
def the_mode_of_a_new_file_does_not_bind_the_descriptor_that_made_it(d):
    with opened(d / "file", NEW, 0) as file:
        equal(os.write(file, b"content"), 7)
        equal(os.pread(file, 10, 0), b"content")
    equal(mode_of(d / "file"), 0)


@case
def o_creat_opens_what_is_there_as_it_is(d):
    make(d / "file", b"content", 0o600)
    with opened(d / "file", os.O_CREAT | os.O_RDWR, 0o777) as file:
        equal(os.read(file, 10), b"content")
    equal(mode_of(d / "file"), 0o600)


@case
def o_excl_refuses_what_is_there(d):
    make(d / "file")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        with refused(EEXIST):
            os.open(d / name, NEW)


@case
def o_excl_refuses_a_link_to_nothing(d):
    os.symlink("nothing", d / "link")
    with refused(EEXIST):
        os.open(d / "link", NEW)
    assert not os.path.lexists(d / "nothing")


@case
def o_creat_makes_what_a_link_points_to(d):
    os.symlink("target", d / "link")
    with opened(d / "link", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"x")
    equal(content(d / "target"), b"x")
    assert os.path.islink(d / "link")


@case
def o_trunc_empties_the_file_and_leaves_its_mode(d):
    make(d / "file", b"content", 0o600)
    with opened(d / "file", os.O_WRONLY | os.O_TRUNC) as file:
        equal(os.fstat(file).st_size, 0)
    equal((content(d / "file"), mode_of(d / "file")), (b"", 0o600))


@case
def o_trunc_is_seen_by_who_has_the_file_open(d):
    make(d / "file", b"content")
    with opened(d / "file") as reader, opened(d / "file", os.O_WRONLY | os.O_TRUNC):
        equal(os.read(reader, 10), b"")
        equal(os.fstat(reader).st_size, 0)


@case
def o_trunc_changes_mtime_and_ctime(d):
    make(d / "file", b"content")
    equal(changes(d / "file", lambda: os.close(os.open(d / "file", os.O_WRONLY | os.O_TRUNC))), {"mtime", "ctime"})


@case
def opening_what_is_there_with_o_creat_changes_no_time(d):
    make(d / "file", b"content")
    equal(changes(d, lambda: os.close(os.open(d / "file", os.O_CREAT | os.O_RDWR))), set())
    equal(changes(d / "file", lambda: os.close(os.open(d / "file", os.O_CREAT | os.O_RDWR))), set())


@case
def o_append_writes_at_the_end_wherever_the_offset_is(d):
    make(d / "file", b"one")
    with opened(d / "file", os.O_RDWR | os.O_APPEND) as file:
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, b"two")
        equal(os.lseek(file, 0, os.SEEK_CUR), 6)
    equal(content(d / "file"), b"onetwo")


@case
def two_descriptors_append_behind_each_other(d):
    make(d / "file")
    flags = os.O_WRONLY | os.O_APPEND
    with opened(d / "file", flags) as one, opened(d / "file", flags) as other:
        for number in range(10):
            os.write(one if number % 2 else other, b"%d" % number)
    equal(content(d / "file"), b"0123456789")


@case
def o_append_can_be_set_later(d):
    make(d / "file", b"one")
    with opened(d / "file", os.O_WRONLY) as file:
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
        os.write(file, b"two")
    equal(content(d / "file"), b"onetwo")


@case
def openat_starts_at_its_directory(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.close(os.open("made", NEW, dir_fd=directory))
        os.close(os.open(d / "absolute", NEW, dir_fd=directory))
    equal((os.listdir(d / "directory"), os.path.exists(d / "absolute")), (["made"], True))


@case
def openat_goes_on_below_a_directory_that_was_renamed(d):
    make_directory(d / "before")
    with opened(d / "before") as directory:
        os.rename(d / "before", d / "after")
        os.close(os.open("made", NEW, dir_fd=directory))
    equal(os.listdir(d / "after"), ["made"])


@case
def openat_in_a_removed_directory_is_enoent(d):
    make_directory(d / "directory")
    with opened(d / "directory") as directory:
        os.rmdir(d / "directory")
        with refused(ENOENT):
            os.open("made", NEW, dir_fd=directory)


@case
def openat_below_a_file_is_enotdir(d):
    make(d / "file")
    with opened(d / "file") as file, refused(ENOTDIR):
        os.open("name", os.O_RDONLY, dir_fd=file)


@case
def openat_below_no_descriptor_is_ebadf(d):
    with refused(EBADF):
        os.open("name", os.O_RDONLY, dir_fd=9999)


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", d / "no" / "file", ""):
        with refused(ENOENT):
            os.open(path, os.O_RDONLY)
    with refused(ENOENT):
        os.open(d / "no" / "file", NEW)


@case
def a_link_to_nothing_is_enoent(d):
    os.symlink("nothing", d / "link")
    with refused(ENOENT):
        os.open(d / "link", os.O_RDONLY)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    for flags in (os.O_RDONLY, NEW):
        with refused(ENOTDIR):
            os.open(d / "file" / "name", flags)


@case
def a_slash_behind_a_file_is_enotdir(d):
    make(d / "file")
    with refused(ENOTDIR):
        os.open(f"{d}/file/", os.O_RDONLY)


@case
def creating_with_a_slash_at_the_end_is_eisdir(d):
    with refused(EISDIR):
        os.open(f"{d}/new/", NEW)
    equal(os.listdir(d), [])


@case
def a_directory_opened_for_writing_is_eisdir(d):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT | os.O_WRONLY, os.O_CREAT | os.O_RDONLY):
        with refused(EISDIR):
            os.open(d, flags)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("b", d / "a")
    os.symlink("a", d / "b")
    for path in (d / "a", d / "a" / "file"):
        with refused(ELOOP):
            os.open(path, os.O_RDONLY)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    for flags in (os.O_RDONLY, NEW):
        with refused(ENAMETOOLONG):
            os.open(d / ("n" * 256), flags)


@case(user=ORDINARY)
def reading_without_the_right_is_eacces(d):
    make(d / "file", b"x", 0o200)
    for flags in (os.O_RDONLY, os.O_RDWR):
        with refused(EACCES):
            os.open(d / "file", flags)
    os.close(os.open(d / "file", os.O_WRONLY))


@case(user=ORDINARY)
def writing_without_the_right_is_eacces(d):
    make(d / "file", b"x", 0o400)
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
        with refused(EACCES):
            os.open(d / "file", flags)
    equal(content(d / "file"), b"x")


@case(user=ORDINARY)
def without_search_permission_on_the_way_it_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        os.open(d / "directory" / "inner", os.O_RDONLY)


@case(user=ORDINARY)
def creating_in_a_directory_that_may_not_be_written_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o500)
    with refused(EACCES):
        os.open(d / "directory" / "new", NEW)
    os.close(os.open(d / "directory" / "inner", os.O_CREAT | os.O_RDWR))


@case(user=ORDINARY)
def a_directory_that_may_not_be_read_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o300)
    with refused(EACCES):
        os.open(d / "directory", os.O_RDONLY)
    os.close(os.open(d / "directory" / "inner", os.O_RDONLY))


@case(user=ROOT)
def root_opens_what_has_no_permission(d):
    make(d / "file", b"x", 0)
    os.close(os.open(d / "file", os.O_RDWR))


@case(user=ROOT)
def the_rights_of_group_and_others_are_those_of_their_class(d):
    os.chmod(d, 0o755)
    make(d / "file", b"x")
    os.chown(d / "file", 65533, 65533)

    def may(flags, uid, gid, groups=()):
        try:
            as_user(lambda: os.close(os.open(d / "file", flags)), uid, gid, groups)
        except PermissionError:
            return False
        return True

    who = {"owner": (65533, 65534), "group": (65534, 65533), "supplementary": (65534, 65534, [65533]), "other": (65534, 65534)}
    for mode, readers in ((0o400, {"owner"}), (0o040, {"group", "supplementary"}), (0o004, {"other"})):
        os.chmod(d / "file", mode)
        equal({name for name in who if may(os.O_RDONLY, *who[name])}, readers)


@case(guard=10)
def a_fifo_without_a_reader_is_enxio_for_a_writer_that_does_not_wait(d):
    os.mkfifo(d / "fifo")
    with refused(ENXIO):
        os.open(d / "fifo", os.O_WRONLY | os.O_NONBLOCK)


@case(guard=10)
def a_fifo_is_opened_for_reading_without_waiting(d):
    os.mkfifo(d / "fifo")
    with opened(d / "fifo", os.O_RDONLY | os.O_NONBLOCK) as reader, opened(d / "fifo", os.O_WRONLY | os.O_NONBLOCK) as writer:
        os.write(writer, b"x")
        equal(os.read(reader, 2), b"x")


@case
def a_socket_is_enxio(d):
    os.chdir(d)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with refused(ENXIO):
            os.open("socket", os.O_RDONLY)


@case(guard=20)
def a_running_program_cannot_be_opened_for_writing(d):
    make(d / "program", content("/bin/sleep"), 0o755)
    process = subprocess.Popen([d / "program", "60"])
    try:
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):
            with refused(ETXTBSY):
                os.open(d / "program", flags)
    finally:
        process.kill()
        process.wait()


@case(guard=20)
def a_program_that_is_open_for_writing_cannot_be_executed(d):
    make(d / "program", content("/bin/true"), 0o755)
    with opened(d / "program", os.O_WRONLY), refused(ETXTBSY):
        subprocess.run([d / "program"])
    equal(subprocess.run([d / "program"]).returncode, 0)
