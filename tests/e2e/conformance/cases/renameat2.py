"""renameat2(2), which is Linux's."""

import os
from errno import EEXIST, EINVAL, ENOENT

from support.syscalls import RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2

from ..checks import content, equal, make, make_directory, refused
from ..registry import case


@case
def noreplace_moves_to_a_free_name(d):
    make(d / "file", b"content")
    renameat2(d / "file", d / "new", RENAME_NOREPLACE)
    equal((os.listdir(d), content(d / "new")), (["new"], b"content"))


@case
def noreplace_moves_a_directory(d):
    make_directory(d / "directory", "inner")
    renameat2(d / "directory", d / "new", RENAME_NOREPLACE)
    equal((os.listdir(d), os.listdir(d / "new")), (["new"], ["inner"]))


@case
def noreplace_over_anything_is_eexist(d):
    make(d / "one", b"one")
    make(d / "other", b"other")
    make_directory(d / "directory")
    os.symlink("nothing", d / "link")
    for target in ("other", "directory", "link", "one"):
        with refused(EEXIST):
            renameat2(d / "one", d / target, RENAME_NOREPLACE)
    equal((content(d / "one"), content(d / "other")), (b"one", b"other"))


@case
def noreplace_over_a_file_is_eexist(d):
    make(d / "one", b"one")
    make(d / "other", b"other")
    with refused(EEXIST):
        renameat2(d / "one", d / "other", RENAME_NOREPLACE)
    equal((content(d / "one"), content(d / "other")), (b"one", b"other"))


@case
def exchange_swaps_two_files(d):
    make(d / "one", b"one")
    make(d / "other", b"other")
    renameat2(d / "one", d / "other", RENAME_EXCHANGE)
    equal((content(d / "one"), content(d / "other")), (b"other", b"one"))


@case
def exchange_swaps_a_file_and_a_directory(d):
    make(d / "file", b"content")
    make_directory(d / "directory", "inner")
    renameat2(d / "file", d / "directory", RENAME_EXCHANGE)
    equal((os.listdir(d / "file"), content(d / "directory")), (["inner"], b"content"))


@case
def exchange_with_nothing_is_enoent(d):
    make(d / "file")
    with refused(ENOENT):
        renameat2(d / "file", d / "no", RENAME_EXCHANGE)


@case
def both_flags_and_unknown_ones_are_einval(d):
    make(d / "one")
    make(d / "other")
    for flags in (RENAME_NOREPLACE | RENAME_EXCHANGE, 1 << 10):
        with refused(EINVAL):
            renameat2(d / "one", d / "other", flags)
