"""chown(2), lchown(2), fchown(2), fchownat(2)."""

import os
from errno import EACCES, EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..processes import OTHER, THIRD, as_user
from ..registry import ORDINARY, ROOT, case
from ..times import changes


def owner_of(path, follow=True):
    seen = os.stat(path, follow_symlinks=follow)
    return seen.st_uid, seen.st_gid


@case(user=ROOT)
def root_gives_a_file_to_anyone(d):
    make(d / "file", b"content")
    os.chown(d / "file", OTHER, THIRD)
    equal((owner_of(d / "file"), content(d / "file")), ((OTHER, THIRD), b"content"))
    os.chown(d / "file", 1_000_000_000, 2_000_000_000)
    equal(owner_of(d / "file"), (1_000_000_000, 2_000_000_000))


@case(user=ROOT)
def minus_one_leaves_what_is_there(d):
    make(d / "file")
    os.chown(d / "file", OTHER, -1)
    equal(owner_of(d / "file"), (OTHER, 0))
    os.chown(d / "file", -1, THIRD)
    equal(owner_of(d / "file"), (OTHER, THIRD))
    os.chown(d / "file", -1, -1)
    equal(owner_of(d / "file"), (OTHER, THIRD))


@case(user=ROOT)
def a_directory_has_an_owner_too(d):
    make_directory(d / "directory", "inner")
    os.chown(d / "directory", OTHER, THIRD)
    equal((owner_of(d / "directory"), owner_of(d / "directory" / "inner")), ((OTHER, THIRD), (0, 0)))


@case(user=ROOT)
def chown_follows_a_link_and_lchown_does_not(d):
    make(d / "file")
    os.symlink("file", d / "link")
    os.chown(d / "link", OTHER, OTHER)
    equal((owner_of(d / "file"), owner_of(d / "link", follow=False)), ((OTHER, OTHER), (0, 0)))
    os.lchown(d / "link", THIRD, THIRD)
    equal((owner_of(d / "file"), owner_of(d / "link", follow=False)), ((OTHER, OTHER), (THIRD, THIRD)))


@case(user=ROOT)
def lchown_of_a_link_to_nothing_works(d):
    os.symlink("nothing", d / "link")
    os.lchown(d / "link", OTHER, THIRD)
    equal(owner_of(d / "link", follow=False), (OTHER, THIRD))


@case(user=ROOT)
def fchown_and_fchownat_change_what_they_name(d):
    make_directory(d / "directory", "inner")
    with opened(d / "directory") as directory, opened(d / "directory" / "inner") as file:
        os.fchown(file, OTHER, THIRD)
        equal(owner_of(file), (OTHER, THIRD))
        os.chown("inner", THIRD, OTHER, dir_fd=directory)
        equal(owner_of(file), (THIRD, OTHER))


@case(user=ROOT)
def fchown_of_a_file_that_is_being_written_holds_after_close(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"content")
        os.fchown(file, OTHER, THIRD)
    equal((owner_of(d / "file"), content(d / "file")), ((OTHER, THIRD), b"content"))


@case
def to_oneself_changes_only_ctime(d):
    make(d / "file")
    equal(changes(d / "file", lambda: os.chown(d / "file", os.geteuid(), os.getegid())), {"ctime"})


@case(user=ORDINARY)
def set_id_bits_of_a_program_are_taken_away(d):
    make(d / "file", b"content")
    os.chmod(d / "file", 0o6755)
    os.chown(d / "file", -1, os.getegid())
    equal(mode_of(d / "file"), 0o755)


@case(user=ROOT)
def set_id_bits_are_taken_away_when_the_owner_gives_the_group(d):
    os.chmod(d, 0o755)
    make(d / "file")
    os.chown(d / "file", OTHER, OTHER)
    os.chmod(d / "file", 0o6755)
    as_user(lambda: os.chown(d / "file", -1, THIRD), groups=[THIRD])
    equal((owner_of(d / "file"), mode_of(d / "file")), ((OTHER, THIRD), 0o755))


@case(user=ROOT)
def directories_keep_their_setgid_bit(d):
    make_directory(d / "directory")
    os.chmod(d / "directory", 0o2775)
    os.chown(d / "directory", OTHER, THIRD)
    equal(mode_of(d / "directory"), 0o2775)


@case(user=ROOT)
def the_owner_gives_the_group_to_groups_of_his_own_alone(d):
    os.chmod(d, 0o755)
    make(d / "file")
    os.chown(d / "file", OTHER, OTHER)
    as_user(lambda: os.chown(d / "file", -1, THIRD), groups=[THIRD])
    equal(owner_of(d / "file"), (OTHER, THIRD))
    with refused(EPERM):
        as_user(lambda: os.chown(d / "file", -1, 1))
    equal(owner_of(d / "file"), (OTHER, THIRD))


@case(user=ORDINARY)
def giving_a_file_away_is_eperm(d):
    make(d / "file")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        for owner in ((0, -1), (-1, 0), (0, 0)):
            with refused(EPERM):
                os.chown(d / name, *owner)


@case(user=ROOT)
def who_does_not_own_the_file_is_eperm(d):
    os.chmod(d, 0o777)
    make(d / "file")
    os.chmod(d / "file", 0o666)
    with refused(EPERM):
        as_user(lambda: os.chown(d / "file", OTHER, -1))
    with refused(EPERM):
        as_user(lambda: os.chown(d / "file", -1, OTHER))


@case
def what_is_not_there_is_enoent(d):
    for call in (os.chown, os.lchown):
        for path in (d / "no", d / "no" / "file", ""):
            with refused(ENOENT):
                call(path, os.geteuid(), -1)


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    for call in (os.chown, os.lchown):
        with refused(ENOTDIR):
            call(d / "file" / "name", os.geteuid(), -1)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        os.chown(d / "a", os.geteuid(), -1)
    with refused(ELOOP):
        os.lchown(d / "a" / "file", os.geteuid(), -1)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    for call in (os.chown, os.lchown):
        with refused(ENAMETOOLONG):
            call(d / ("n" * 256), os.geteuid(), -1)


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        os.fchown(9999, os.geteuid(), -1)


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o600)
    for call in (os.chown, os.lchown):
        with refused(EACCES):
            call(d / "directory" / "inner", os.geteuid(), -1)
