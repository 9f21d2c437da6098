"""opendir(3), readdir(3), telldir(3), seekdir(3), rewinddir(3)."""

import os
import stat
from errno import EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR

from ..checks import equal, make, make_directory, refused
from ..libc import DirectoryStream
from ..registry import ORDINARY, case

MANY = 160  # with their long names more than libc asks for at once


def names(number):
    return [b"a name that is rather long " * 8 + b"%03d" % each for each in range(number)]


def fill(d, number=MANY):
    """So many entries; directories, which cost the least."""
    for name in names(number):
        os.mkdir(os.fsencode(d) + b"/" + name)
    return d


@case
def an_empty_directory_has_dot_and_dotdot(d):
    with DirectoryStream(d) as stream:
        equal(sorted(stream.read_all()), [b".", b".."])


@case
def every_entry_is_told_once(d):
    fill(d)
    with DirectoryStream(d) as stream:
        equal(sorted(stream.read_all()), sorted([b".", b"..", *names(MANY)]))


@case
def inode_and_kind_are_those_of_stat(d):
    make(d / "file")
    make_directory(d / "directory")
    with DirectoryStream(d) as stream:
        for name, inode, kind in iter(stream.read_entry, None):
            seen = os.lstat(os.fsencode(d) + b"/" + name)
            if name != b"..":
                equal((name, inode), (name, seen.st_ino))
            equal(kind, stat.S_IFMT(seen.st_mode) >> 12)


@case
def at_the_end_it_stays(d):
    with DirectoryStream(d) as stream:
        stream.read_all()
        equal([stream.read(), stream.read()], [None, None])


@case
def seekdir_goes_back_to_what_telldir_told(d):
    fill(d, 40)
    with DirectoryStream(d) as stream:
        for _ in range(17):
            stream.read()
        position = stream.tell()
        rest = stream.read_all()
        stream.seek(position)
        equal(stream.read_all(), rest)


@case
def every_position_is_found_again(d):
    fill(d, 40)
    with DirectoryStream(d) as stream:
        told = []
        while True:
            position, name = stream.tell(), stream.read()
            told.append((position, name))
            if name is None:
                break
        for position, name in reversed(told):
            stream.seek(position)
            equal(stream.read(), name)


@case
def rewinddir_begins_again_and_sees_what_is_new(d):
    make(d / "old")
    with DirectoryStream(d) as stream:
        equal(sorted(stream.read_all()), [b".", b"..", b"old"])
        make(d / "new")
        os.unlink(d / "old")
        stream.rewind()
        equal(sorted(stream.read_all()), [b".", b"..", b"new"])


@case
def what_stays_is_told_once_while_others_go(d):
    """As rm -r does: each is unlinked once it has been read."""
    fill(d)
    seen = []
    with DirectoryStream(d) as stream:
        while (name := stream.read()) is not None:
            seen.append(name)
            if name not in (b".", b".."):
                os.rmdir(os.fsencode(d) + b"/" + name)
    equal(sorted(seen), sorted([b".", b"..", *names(MANY)]))
    equal(os.listdir(d), [])


@case
def what_stays_is_told_once_while_others_come(d):
    fill(d)
    seen = []
    with DirectoryStream(d) as stream:
        while (name := stream.read()) is not None:
            if name in names(MANY):
                seen.append(name)
                if len(seen) % 30 == 0:
                    os.mkdir(d / f"new {len(seen)}")
    equal(sorted(seen), names(MANY))


@case
def what_stays_is_told_once_while_others_are_renamed(d):
    fill(d, 100)
    for number in range(20):
        make(d / f"file {number}")
    seen, renamed = [], 0
    with DirectoryStream(d) as stream:
        while (name := stream.read()) is not None:
            seen.append(name)
            if renamed < 20 and len(seen) % 5 == 0:
                os.rename(d / f"file {renamed}", d / f"renamed {renamed}")
                renamed += 1
    equal(sorted(name for name in seen if name in names(100)), names(100))


@case
def seekdir_works_after_entries_have_gone(d):
    fill(d, 100)
    with DirectoryStream(d) as stream:
        first = [stream.read() for _ in range(50)]
        position = stream.tell()
        rest = stream.read_all()
        for name in first:
            if name not in (b".", b".."):
                os.rmdir(os.fsencode(d) + b"/" + name)
        stream.seek(position)
        equal(sorted(stream.read_all()), sorted(rest))


@case
def two_streams_have_positions_of_their_own(d):
    fill(d, 20)
    with DirectoryStream(d) as one, DirectoryStream(d) as other:
        first = [one.read() for _ in range(10)]
        equal([other.read() for _ in range(10)], first)
        equal(sorted(first + one.read_all()), sorted([b".", b"..", *names(20)]))


@case
def a_removed_directory_has_no_entries(d):
    make_directory(d / "directory")
    with DirectoryStream(d / "directory") as stream:
        os.rmdir(d / "directory")
        equal([name for name in stream.read_all() if name not in (b".", b"..")], [])


@case
def a_directory_that_was_renamed_is_read_on(d):
    fill(make_directory(d / "old"), 20)
    with DirectoryStream(d / "old") as stream:
        stream.read()
        os.rename(d / "old", d / "new")
        equal(len(stream.read_all()), 21)


@case
def what_is_no_directory_is_enotdir(d):
    make(d / "file")
    for path in (d / "file", d / "file" / "name"):
        with refused(ENOTDIR):
            DirectoryStream(path)


@case
def what_is_not_there_is_enoent(d):
    for path in (d / "no", ""):
        with refused(ENOENT):
            DirectoryStream(path)


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    with refused(ELOOP):
        DirectoryStream(d / "a")


@case
def a_name_of_256_bytes_is_enametoolong(d):
    with refused(ENAMETOOLONG):
        DirectoryStream(d / ("n" * 256))


@case(user=ORDINARY)
def without_the_right_to_read_it_is_eacces(d):
    os.mkdir(d / "directory", 0o300)
    with refused(EACCES):
        DirectoryStream(d / "directory")


@case(user=ORDINARY)
def reading_needs_no_right_to_search(d):
    make_directory(d / "directory", "file")
    os.chmod(d / "directory", 0o400)
    equal(os.listdir(d / "directory"), ["file"])
