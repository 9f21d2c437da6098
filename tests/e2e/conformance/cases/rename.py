"""rename(2) and renameat(2)."""

import os
import socket
from errno import EACCES, EBUSY, EEXIST, EINVAL, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..processes import OTHER, as_user
from ..registry import ORDINARY, ROOT, case


@case
def a_file_gets_another_name(d):
    make(d / "old", b"content", 0o600)
    os.rename(d / "old", d / "new")
    equal((os.listdir(d), content(d / "new"), mode_of(d / "new")), (["new"], b"content", 0o600))


@case
def a_file_moves_to_another_directory(d):
    make(d / "file", b"content")
    make_directory(d / "directory")
    os.rename(d / "file", d / "directory" / "file")
    equal((os.listdir(d), content(d / "directory" / "file")), (["directory"], b"content"))


@case
def a_file_replaces_a_file(d):
    make(d / "new", b"new")
    make(d / "old", b"old")
    inode = os.stat(d / "new").st_ino
    os.rename(d / "new", d / "old")
    equal((os.listdir(d), content(d / "old"), os.stat(d / "old").st_ino), (["old"], b"new", inode))


@case
def a_file_that_is_replaced_stays_for_who_has_it_open(d):
    make(d / "new", b"new")
    make(d / "old", b"old")
    with opened(d / "old", os.O_RDWR) as old:
        os.rename(d / "new", d / "old")
        equal((os.read(old, 10), os.fstat(old).st_nlink), (b"old", 0))
        os.write(old, b"more")
    equal(content(d / "old"), b"new")


@case
def an_open_file_goes_on_under_its_new_name(d):
    with opened(d / "old", os.O_CREAT | os.O_RDWR) as file:
        os.write(file, b"one")
        os.rename(d / "old", d / "new")
        os.write(file, b"two")
        equal((os.fstat(file).st_nlink, content(d / "new")), (1, b"onetwo"))
    equal((os.listdir(d), content(d / "new")), (["new"], b"onetwo"))


@case
def a_name_that_was_given_up_is_free(d):
    make(d / "name", b"old")
    os.rename(d / "name", d / "other")
    make(d / "name", b"new")
    equal((content(d / "name"), content(d / "other")), (b"new", b"old"))


@case
def onto_itself_nothing_happens(d):
    make(d / "file", b"content")
    make_directory(d / "directory", "inner")
    for name in ("file", "directory"):
        os.rename(d / name, d / name)
    equal((sorted(os.listdir(d)), content(d / "file"), os.listdir(d / "directory")), (["directory", "file"], b"content", ["inner"]))


@case
def two_names_of_one_file_both_stay(d):
    make(d / "one", b"content")
    os.link(d / "one", d / "other")
    os.rename(d / "one", d / "other")
    equal(sorted(os.listdir(d)), ["one", "other"])


@case
def a_link_is_renamed_itself(d):
    make(d / "file", b"content")
    os.symlink("file", d / "link")
    os.rename(d / "link", d / "renamed")
    equal((os.readlink(d / "renamed"), content(d / "file")), ("file", b"content"))


@case
def a_link_is_replaced_itself(d):
    make(d / "target", b"target")
    make(d / "file", b"content")
    os.symlink("target", d / "link")
    os.rename(d / "file", d / "link")
    equal((os.path.islink(d / "link"), content(d / "link"), content(d / "target")), (False, b"content", b"target"))


@case
def a_fifo_and_a_socket_are_renamed(d):
    os.chdir(d)
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    modes = {name: os.stat(name).st_mode for name in ("fifo", "socket")}
    for name, mode in modes.items():
        os.rename(name, f"{name} renamed")
        equal(os.stat(f"{name} renamed").st_mode, mode)


@case
def an_empty_directory_gets_another_name(d):
    make_directory(d / "old")
    os.rename(d / "old", d / "new")
    equal((os.listdir(d), os.listdir(d / "new")), (["new"], []))


@case
def a_directory_moves_with_all_below_it(d):
    make_directory(make_directory(d / "old", "file") / "inner", "deep")
    make_directory(d / "parent")
    inode = os.stat(d / "old").st_ino
    os.rename(d / "old", d / "parent" / "new")
    moved = d / "parent" / "new"
    equal((os.listdir(d), sorted(os.listdir(moved)), os.listdir(moved / "inner")), (["parent"], ["file", "inner"], ["deep"]))
    equal(os.stat(moved).st_ino, inode)


@case
def dotdot_of_a_moved_directory_is_its_new_parent(d):
    make_directory(d / "parent")
    make_directory(d / "directory")
    os.rename(d / "directory", d / "parent" / "directory")
    equal(os.stat(f"{d}/parent/directory/..").st_ino, os.stat(d / "parent").st_ino)


@case
def an_open_file_below_a_moved_directory_goes_on(d):
    make_directory(d / "old")
    with opened(d / "old" / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"one")
        os.rename(d / "old", d / "new")
        os.write(file, b"two")
    equal(content(d / "new" / "file"), b"onetwo")


@case
def a_process_stands_in_a_moved_directory(d):
    make_directory(d / "old", "file")
    os.chdir(d / "old")
    os.rename(d / "old", d / "new")
    equal((os.listdir("."), os.getcwd()), (["file"], str(d / "new")))


@case
def a_directory_replaces_an_empty_one(d):
    make_directory(d / "new", "file")
    make_directory(d / "old")
    os.rename(d / "new", d / "old")
    equal((os.listdir(d), os.listdir(d / "old")), (["old"], ["file"]))


@case
def a_directory_over_one_that_is_not_empty_is_refused(d):
    make_directory(d / "new", "file")
    make_directory(d / "old", "other")
    with refused(ENOTEMPTY, EEXIST):
        os.rename(d / "new", d / "old")
    equal((os.listdir(d / "new"), os.listdir(d / "old")), (["file"], ["other"]))


@case
def a_file_over_a_directory_is_eisdir(d):
    make(d / "file")
    make_directory(d / "directory")
    with refused(EISDIR):
        os.rename(d / "file", d / "directory")


@case
def a_directory_over_a_file_is_enotdir(d):
    make_directory(d / "directory")
    make(d / "file")
    with refused(ENOTDIR):
        os.rename(d / "directory", d / "file")


@case
def a_directory_over_a_link_to_a_directory_is_enotdir(d):
    make_directory(d / "directory")
    make_directory(d / "target")
    os.symlink("target", d / "link")
    with refused(ENOTDIR):
        os.rename(d / "directory", d / "link")


@case
def a_directory_into_itself_is_einval(d):
    make_directory(make_directory(d / "directory") / "inner")
    for target in (d / "directory" / "new", d / "directory" / "inner" / "new"):
        with refused(EINVAL):
            os.rename(d / "directory", target)
    equal(os.listdir(d / "directory"), ["inner"])


@case
def a_directory_over_its_own_parent_is_refused(d):
    make_directory(make_directory(d / "directory") / "inner")
    with refused(ENOTEMPTY, EEXIST):
        os.rename(d / "directory" / "inner", d / "directory")


@case
def dot_and_dotdot_are_refused(d):
    make_directory(d / "directory")
    for source, target in (("directory/.", "new"), ("directory/..", "new"), ("directory", "."), ("directory", "directory/..")):
        with refused(EINVAL, EBUSY, ENOTEMPTY):
            os.rename(f"{d}/{source}", f"{d}/{target}")


@case
def a_slash_behind_a_file_is_enotdir(d):
    make(d / "file")
    for source, target in (("file/", "new"), ("file", "new/")):
        with refused(ENOTDIR):
            os.rename(f"{d}/{source}", f"{d}/{target}")
    equal(os.listdir(d), ["file"])


@case
def a_slash_behind_a_directory_is_allowed(d):
    make_directory(d / "old")
    os.rename(f"{d}/old/", f"{d}/new/")
    equal(os.listdir(d), ["new"])


@case
def renameat_starts_at_its_directories(d):
    make_directory(d / "one", "file")
    make_directory(d / "other")
    with opened(d / "one") as one, opened(d / "other") as other:
        os.rename("file", "renamed", src_dir_fd=one, dst_dir_fd=other)
    equal((os.listdir(d / "one"), os.listdir(d / "other")), ([], ["renamed"]))


@case
def what_is_not_there_is_enoent(d):
    make(d / "file")
    for source, target in (("no", "new"), ("no/file", "new"), ("file", "no/new")):
        with refused(ENOENT):
            os.rename(d / source, d / target)
    for source, target in (("", d / "new"), (d / "file", "")):
        with refused(ENOENT):
            os.rename(source, target)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    make(d / "other")
    for source, target in (("file/name", "new"), ("other", "file/name")):
        with refused(ENOTDIR):
            os.rename(d / source, d / target)


@case
def links_in_a_circle_are_eloop(d):
    make(d / "file")
    os.symlink("a", d / "a")
    for source, target in (("a/file", "new"), ("file", "a/new")):
        with refused(ELOOP):
            os.rename(d / source, d / target)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    make(d / "file")
    long = "n" * 256
    for source, target in ((long, "new"), ("file", long)):
        with refused(ENAMETOOLONG):
            os.rename(d / source, d / target)
    equal(os.listdir(d), ["file"])


@case(user=ORDINARY)
def without_the_right_to_write_both_directories_it_is_eacces(d):
    for name in ("from", "to"):
        make_directory(d / name, "file")
    for closed, source, target in (("from", "from/file", "to/new"), ("to", "from/file", "to/new"), ("from", "from/file", "from/new")):
        os.chmod(d / closed, 0o500)
        with refused(EACCES):
            os.rename(d / source, d / target)
        os.chmod(d / closed, 0o700)


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "inner")
    make(d / "file")
    os.chmod(d / "directory", 0o600)
    for source, target in (("directory/inner", "new"), ("file", "directory/new")):
        with refused(EACCES):
            os.rename(d / source, d / target)


@case(user=ROOT)
def a_directory_that_may_not_be_written_cannot_change_its_parent(d):
    """Its ".." would have to be written."""
    os.chmod(d, 0o755)
    for name in ("from", "to"):
        make_directory(d / name)
        os.chown(d / name, OTHER, OTHER)
    make_directory(d / "from" / "directory")
    with refused(EACCES, EPERM):
        as_user(lambda: os.rename(d / "from" / "directory", d / "to" / "directory"))
