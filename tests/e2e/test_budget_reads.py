"""What looking and reading cost: stat, open, read, ls, names that are not there. Exact counts from the endpoint's log."""

import os
from functools import partial

from support import bulk
from support.budget import GET, HEAD, LIST, At, Row, check, table, up_to

MIB = 1 << 20


# What is there before.

def theirs(size=7, listed=True, above=""):
    def before(at):
        at.put(f"{above}file", os.urandom(size))
        os.listdir(at.path(above)) if listed else at.mnt
    return before


def own(at):
    with open(at.path("file"), "wb") as file:
        file.write(b"content")


def known(at):
    theirs()(at)
    read()(at)


def known_in_directory(at):
    theirs(above="dir/")(at)
    read("dir/file")(at)


def small_files(at):
    for number in range(20):
        at.put(f"{number:02}", b"content")
    assert at.mnt


def own_tree(at):
    """As git keeps its objects."""
    for number in range(120):
        os.makedirs(at.path(f"tree/{number % 60:02}"), exist_ok=True)
        with open(at.path(f"tree/{number % 60:02}/{number:03}"), "wb") as file:
            file.write(b"content")


def objects(count, above=""):
    def before(at):
        bulk.put_empty(at.devs3, at.space.bucket, [at.space.key(f"{above}{number:06}") for number in range(count)])
        assert at.mnt
    return before


def read_long_ago(count):
    def before(at):
        objects(count)(at)
        os.listdir(at.path())
    return before


def missed_before(at):
    miss(at)


# How it is done.

def stat(name="file"):
    def calls(at):
        assert os.stat(at.path(name)).st_size == 7
    return calls


def read(name="file"):
    def calls(at):
        with open(at.path(name), "rb") as file:
            file.read()
    return calls


def read_twice_and_stat(name="file"):
    def calls(at):
        read(name)(at)
        stat(name)(at)
        read(name)(at)
    return calls


def miss(at):
    assert not os.path.exists(at.path("missing"))


def miss_twice(at):
    miss(at)
    miss(at)


def read_all(at):
    for name in sorted(os.listdir(at.path())):
        with open(at.path(name), "rb") as file:
            assert file.read() == b"content"


def read_tree(at):
    for number in range(120):
        with open(at.path(f"tree/{number % 60:02}/{number:03}"), "rb") as file:
            assert file.read() == b"content"


def ls(count, above=""):
    def calls(at):
        assert len(os.listdir(at.path(above))) == count
    return calls


def stat_each(count):
    def calls(at):
        for number in range(count):
            assert os.stat(at.path(f"{number:06}")).st_size == 0
    return calls


def ls_with_attributes(count, above=""):
    def calls(at):
        with os.scandir(at.path(above)) as entries:
            assert sum(entry.stat().st_size == 0 for entry in entries) == count
    return calls


# What must be of the requests besides.

def no_bytes(requests, at):
    assert requests.bytes_out() == 0


def bytes_once(requests, at):
    assert requests.bytes_out() <= at.space.head("file")["ContentLength"]


ROWS = [
    # what a program does, what is there before, how it is done, requests with commit=close, with commit=journal (None: the same)
    Row("stat of another client's file, listed", theirs(), stat(), {}),
    Row("stat of another client's file, in an old listing", theirs(), stat(), {GET: 1}, later=True),
    Row("stat of another client's file, in an old listing of a directory", theirs(above="dir/"), stat("dir/file"), {LIST: 1, GET: 1}, later=True),
    Row("stat of another client's file, nothing listed", theirs(listed=False), stat(), {LIST: 1, GET: 1}),
    Row("stat of another client's file, where listing is not allowed", theirs(listed=False), stat(), {GET: 1}, listing=False),
    Row("stat of an own file", own, stat(), {}),
    Row("stat of an own file later", own, stat(), {GET: 1}, also=no_bytes, later=True),
    Row("open, read, close of 1 byte", theirs(1), read(), {GET: 1}),
    Row("open, read, close of 4 KiB", theirs(4096), read(), {GET: 1}),
    Row("open, read, close of 128 KiB", theirs(128 << 10), read(), {GET: 1}),
    Row("open, read, close of 4 KiB, nothing listed", theirs(4096, listed=False), read(), {LIST: 1, GET: 1}),
    Row("open, read, close of 4 KiB, where listing is not allowed", theirs(4096, listed=False), read(), {GET: 1}, listing=False),
    Row("open, read, close of 128 KiB and a byte", theirs((128 << 10) + 1), read(), {GET: 2}, also=bytes_once),
    Row("open, read, close of 1 MiB", theirs(MIB), read(), {GET: 2}, also=bytes_once),
    Row("open, read, close of 8 MiB", theirs(8 * MIB), read(), {GET: 2}, also=bytes_once),
    Row("an unchanged file again", known, read_twice_and_stat(), {}),
    Row("an unchanged file later", known, read(), {GET: 1}, also=no_bytes, later=True),
    Row("an unchanged file in a directory later", known_in_directory, read("dir/file"), {LIST: 1}, later=True),
    Row("an unchanged file later, immutable", known, read_twice_and_stat(), {}, options={"coherence": "immutable"}, later=True),
    Row("an unchanged file in a directory later, immutable", known_in_directory, read_twice_and_stat("dir/file"), {},
        options={"coherence": "immutable"}, later=True),
    Row("an own file read again", own, read_twice_and_stat(), {}),
    Row("a sequential read of 40 MiB", theirs(40 * MIB), read(), {GET: 6}, also=bytes_once),
    Row("20 small files one after another", small_files, read_all, {LIST: 1, GET: 20}),
    Row("120 own files in 60 directories later", own_tree, read_tree, {LIST: range(1, 30), GET: up_to(30)}, later=True),
    Row("a missing name twice", lambda at: at.mnt, miss_twice, {LIST: 1}),
    Row("a missing name again", missed_before, miss, {}),
    Row("a missing name again later", missed_before, miss, {LIST: 1}, later=True),
    Row("a missing name in a directory just listed", theirs(), miss, {}),
    Row("a missing name where listing is not allowed", lambda at: at.mnt, miss, {GET: 1, HEAD: 1}, listing=False),
    *(Row(f"ls of {count}", objects(count), ls(count), {LIST: pages}) for count, pages in ((1, 1), (1000, 1), (1001, 2), (2500, 3))),
    *(Row(f"ls -l of {count}", objects(count), ls_with_attributes(count), {LIST: pages}) for count, pages in ((999, 1), (1001, 2), (10_000, 10))),
    Row("stat of 5,000 in order, later than they were read", read_long_ago(5000), stat_each(5000), {LIST: up_to(20), GET: up_to(4), HEAD: up_to(4)}, later=True),
    Row("ls -l of 1,001 in a directory", objects(1001, "dir/"), ls_with_attributes(1001, "dir"), {LIST: 4}),
]


@table(ROWS)
def test_looking_and_reading_cost(mounts, devs3, row, mode):
    check(row, mode, partial(At, mounts, devs3))
