"""statvfs(3), fstatvfs(3), pathconf(3), fpathconf(3)."""

import os
from errno import EACCES, EBADF, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from ..checks import equal, make, make_directory, opened, refused
from ..registry import ORDINARY, case


@case
def the_numbers_make_sense(d):
    seen = os.statvfs(d)
    assert seen.f_bsize > 0 and seen.f_frsize > 0 and seen.f_blocks > 0
    assert seen.f_bavail <= seen.f_bfree <= seen.f_blocks
    assert seen.f_ffree <= seen.f_files


@case
def the_longest_name_is_the_longest_that_works(d):
    longest = os.statvfs(d).f_namemax
    make(d / ("n" * longest))
    with refused(ENAMETOOLONG):
        make(d / ("n" * (longest + 1)))


@case
def a_file_and_a_descriptor_will_do(d):
    make(d / "file")
    with opened(d / "file") as file:
        for seen in (os.statvfs(d / "file"), os.fstatvfs(file)):
            equal((seen.f_namemax, seen.f_bsize, seen.f_blocks), (os.statvfs(d).f_namemax, os.statvfs(d).f_bsize, os.statvfs(d).f_blocks))


@case
def it_is_not_read_only(d):
    equal(os.statvfs(d).f_flag & os.ST_RDONLY, 0)


@case
def pathconf_knows_names_and_paths(d):
    equal(os.pathconf(d, "PC_NAME_MAX"), os.statvfs(d).f_namemax)
    assert os.pathconf(d, "PC_PATH_MAX") >= 256
    assert os.pathconf(d, "PC_PIPE_BUF") >= 512
    assert os.pathconf(d, "PC_NO_TRUNC") and os.pathconf(d, "PC_CHOWN_RESTRICTED")
    with opened(d) as directory:
        equal(os.fpathconf(directory, "PC_NAME_MAX"), os.pathconf(d, "PC_NAME_MAX"))


@case
def pathconf_knows_that_a_file_has_a_name_at_least(d):
    assert os.pathconf(d, "PC_LINK_MAX") >= 1
    assert os.pathconf(d, "PC_FILESIZEBITS") >= 32


@case
def an_unknown_question_is_einval(d):
    with refused(EINVAL):
        os.pathconf(d, 9999)


@case
def errors_are_those_of_paths(d):
    make(d / "file")
    os.symlink("a", d / "a")
    for path, code in ((d / "no", ENOENT), (d / "file" / "name", ENOTDIR), (d / "a", ELOOP), (d / ("n" * 256), ENAMETOOLONG)):
        with refused(code):
            os.statvfs(path)


@case
def a_closed_descriptor_is_ebadf(d):
    with refused(EBADF):
        os.fstatvfs(9999)


@case(user=ORDINARY)
def without_the_right_to_search_it_is_eacces(d):
    make_directory(d / "directory", "inner")
    os.chmod(d / "directory", 0o600)
    with refused(EACCES):
        os.statvfs(d / "directory" / "inner")
