"""access(2) and faccessat(2)."""

import os
from errno import EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from ..checks import equal, make, make_directory, opened
from ..libc import access
from ..processes import OTHER, as_user, in_child
from ..registry import ORDINARY, ROOT, case

RIGHTS = (os.R_OK, os.W_OK, os.X_OK)


def granted(path):
    return [os.access(path, right) for right in RIGHTS]


@case
def what_is_there_is_there(d):
    make(d / "file", mode=0)
    equal((os.access(d / "file", os.F_OK), os.access(d / "no", os.F_OK)), (True, False))


@case(user=ORDINARY)
def the_owners_bits_are_the_owners_rights(d):
    make(d / "file")
    for mode in range(8):
        os.chmod(d / "file", mode << 6 | 0o077 & ~mode * 0o11)
        equal((mode, granted(d / "file")), (mode, [bool(mode & right) for right in RIGHTS]))


@case(user=ORDINARY)
def all_rights_asked_for_must_be_there(d):
    make(d / "file", mode=0o400)
    equal((os.access(d / "file", os.R_OK), os.access(d / "file", os.R_OK | os.W_OK)), (True, False))


@case(user=ROOT)
def root_may_all_but_execute_what_nobody_may(d):
    make(d / "file", mode=0)
    equal(granted(d / "file"), [True, True, False])
    os.chmod(d / "file", 0o001)
    equal(granted(d / "file"), [True, True, True])


@case(user=ROOT)
def the_rights_of_others_are_theirs(d):
    os.chmod(d, 0o755)
    make(d / "file")
    os.chmod(d / "file", 0o705)
    equal(as_user(lambda: granted(d / "file")), [True, False, True])
    os.chmod(d / "file", 0o750)
    equal(as_user(lambda: granted(d / "file")), [False, False, False])


@case(user=ROOT)
def it_asks_for_the_real_user(d):
    os.chmod(d, 0o755)
    make(d / "file", mode=0o600)

    def look():
        os.setresuid(OTHER, 0, 0)
        return os.access(d / "file", os.R_OK), os.access(d / "file", os.R_OK, effective_ids=True)

    equal(in_child(look), (False, True))


@case(user=ORDINARY)
def without_the_right_to_search_nothing_is_there(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o600)
    equal(os.access(d / "directory" / "inner", os.F_OK), False)


@case
def faccessat_starts_at_its_directory(d):
    make_directory(d / "directory", "inner")
    with opened(d / "directory") as directory:
        equal((os.access("inner", os.R_OK, dir_fd=directory), os.access("no", os.F_OK, dir_fd=directory)), (True, False))


@case
def a_link_is_followed(d):
    os.symlink("nothing", d / "link")
    equal((os.access(d / "link", os.F_OK), os.access(d / "link", os.F_OK, follow_symlinks=False)), (False, True))


@case
def each_error_has_its_number(d):
    make(d / "file")
    os.symlink("a", d / "a")
    seen = [access(path, os.F_OK) for path in (d / "file", d / "no", d / "file" / "name", d / "a", d / ("n" * 256))]
    equal(seen, [0, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG])


@case
def an_unknown_right_is_einval(d):
    make(d / "file")
    equal(access(d / "file", 0o100), EINVAL)
