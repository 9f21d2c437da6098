"""setxattr(2), getxattr(2), listxattr(2), removexattr(2): extended attributes, which are Linux's."""

import os
from errno import E2BIG, EACCES, EEXIST, EINVAL, ENODATA, ENOENT, EOPNOTSUPP, EPERM, ERANGE

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..libc import getxattr_into, listxattr_into
from ..processes import as_user
from ..registry import ORDINARY, ROOT, case
from ..times import changes

NAME = "user.conformance"


def ours(path, **more):
    """Without what the system itself adds, as a security label."""
    return sorted(name for name in os.listxattr(path, **more) if name.startswith("user.conf"))


@case
def a_value_is_kept_byte_for_byte(d):
    make(d / "file")
    for value in (b"value", b"", bytes(range(256)), b"\xff\0\n"):
        os.setxattr(d / "file", NAME, value)
        equal(os.getxattr(d / "file", NAME), value)


@case
def a_kilobyte_is_kept(d):
    make(d / "file")
    os.setxattr(d / "file", NAME, b"v" * 1024)
    equal(os.getxattr(d / "file", NAME), b"v" * 1024)


@case
def names_are_kept_with_their_case(d):
    make(d / "file")
    for name in ("user.conf.One", "user.conf.one", "user.conf.with space", "user.conf.ümläut"):
        os.setxattr(d / "file", name, name.encode())
    equal(ours(d / "file"), ["user.conf.One", "user.conf.one", "user.conf.with space", "user.conf.ümläut"])
    equal(os.getxattr(d / "file", "user.conf.One"), b"user.conf.One")


@case
def a_directory_has_attributes_too(d):
    make_directory(d / "directory")
    os.setxattr(d / "directory", NAME, b"value")
    equal((os.getxattr(d / "directory", NAME), ours(d / "directory")), (b"value", [NAME]))


@case
def an_open_file_has_attributes_too(d):
    with opened(d / "file", os.O_CREAT | os.O_WRONLY) as file:
        os.write(file, b"content")
        os.setxattr(file, NAME, b"value")
        equal((os.getxattr(file, NAME), ours(file)), (b"value", [NAME]))
    equal((os.getxattr(d / "file", NAME), content(d / "file")), (b"value", b"content"))


@case
def they_stay_when_the_file_is_written_and_renamed(d):
    make(d / "file", b"content")
    os.setxattr(d / "file", NAME, b"value")
    with opened(d / "file", os.O_WRONLY | os.O_TRUNC) as file:
        os.write(file, b"new")
    os.rename(d / "file", d / "renamed")
    os.chmod(d / "renamed", 0o600)
    equal((os.getxattr(d / "renamed", NAME), content(d / "renamed")), (b"value", b"new"))


@case
def they_go_with_the_file(d):
    make(d / "file")
    os.setxattr(d / "file", NAME, b"value")
    os.unlink(d / "file")
    make(d / "file")
    equal(ours(d / "file"), [])


@case
def removal_leaves_the_others(d):
    make(d / "file")
    for name in ("user.conf.a", "user.conf.b"):
        os.setxattr(d / "file", name, b"value")
    os.removexattr(d / "file", "user.conf.a")
    equal(ours(d / "file"), ["user.conf.b"])


@case
def only_ctime_changes(d):
    make(d / "file")
    equal(changes(d / "file", lambda: os.setxattr(d / "file", NAME, b"value")), {"ctime"})
    equal(changes(d / "file", lambda: os.removexattr(d / "file", NAME)), {"ctime"})


@case
def xattr_create_is_for_new_names(d):
    make(d / "file")
    os.setxattr(d / "file", NAME, b"value", os.XATTR_CREATE)
    with refused(EEXIST):
        os.setxattr(d / "file", NAME, b"other", os.XATTR_CREATE)
    equal(os.getxattr(d / "file", NAME), b"value")


@case
def xattr_replace_is_for_old_names(d):
    make(d / "file")
    with refused(ENODATA):
        os.setxattr(d / "file", NAME, b"value", os.XATTR_REPLACE)
    os.setxattr(d / "file", NAME, b"value")
    os.setxattr(d / "file", NAME, b"other", os.XATTR_REPLACE)
    equal(os.getxattr(d / "file", NAME), b"other")


@case
def an_unknown_name_is_enodata(d):
    make(d / "file")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        for call in (os.getxattr, os.removexattr):
            with refused(ENODATA):
                call(d / name, NAME)


@case
def the_size_is_told_first_and_a_small_buffer_is_erange(d):
    make(d / "file")
    os.setxattr(d / "file", NAME, b"0123456789")
    equal(getxattr_into(d / "file", NAME, 0), 10)
    equal(getxattr_into(d / "file", NAME, 10), 10)
    with refused(ERANGE):
        getxattr_into(d / "file", NAME, 9)
    size = listxattr_into(d / "file", 0)
    assert size >= len(NAME) + 1, size
    with refused(ERANGE):
        listxattr_into(d / "file", len(NAME))


@case
def a_name_or_a_value_that_is_too_long_is_refused(d):
    make(d / "file")
    with refused(ERANGE):
        os.setxattr(d / "file", "user." + "n" * 251, b"value")
    with refused(E2BIG):
        os.setxattr(d / "file", NAME, bytes(65_537))


@case
def a_name_without_a_known_namespace_is_eopnotsupp(d):
    make(d / "file")
    for name in ("name", "unknown.name"):
        with refused(EOPNOTSUPP):
            os.setxattr(d / "file", name, b"value")


@case
def what_is_not_there_is_enoent(d):
    for call in (lambda path: os.getxattr(path, NAME), lambda path: os.setxattr(path, NAME, b"v"), os.listxattr):
        with refused(ENOENT):
            call(d / "no")


@case
def a_link_and_a_fifo_have_none_of_users(d):
    os.symlink("nothing", d / "link")
    os.mkfifo(d / "fifo")
    for name in ("link", "fifo"):
        with refused(EPERM):
            os.setxattr(d / name, NAME, b"value", follow_symlinks=False)


@case(user=ORDINARY)
def trusted_attributes_are_for_root(d):
    make(d / "file")
    with refused(EPERM):
        os.setxattr(d / "file", "trusted.conformance", b"value")
    with refused(ENODATA):
        os.getxattr(d / "file", "trusted.conformance")


@case(user=ORDINARY)
def attributes_of_security_are_for_root(d):
    make(d / "file")
    with refused(EPERM):
        os.setxattr(d / "file", "security.conformance", b"value")


@case
def a_broken_acl_is_refused(d):
    make(d / "file")
    with refused(EINVAL, EOPNOTSUPP):
        os.setxattr(d / "file", "system.posix_acl_access", b"no acl")
    equal(mode_of(d / "file"), 0o644)


@case
def the_acl_of_a_plain_mode_is_enodata_or_eopnotsupp(d):
    make(d / "file")
    with refused(ENODATA, EOPNOTSUPP):
        os.getxattr(d / "file", "system.posix_acl_access")


@case(user=ORDINARY)
def without_the_right_to_the_file_it_is_eacces(d):
    make(d / "file")
    os.setxattr(d / "file", NAME, b"value")
    os.chmod(d / "file", 0o200)
    with refused(EACCES):
        os.getxattr(d / "file", NAME)
    os.chmod(d / "file", 0o400)
    with refused(EACCES):
        os.setxattr(d / "file", NAME, b"other")
    with refused(EACCES):
        os.removexattr(d / "file", NAME)


@case(user=ROOT)
def those_who_may_write_may_set_them(d):
    os.chmod(d, 0o755)
    make(d / "file")
    os.chmod(d / "file", 0o666)
    as_user(lambda: os.setxattr(d / "file", NAME, b"value"))
    equal(os.getxattr(d / "file", NAME), b"value")
