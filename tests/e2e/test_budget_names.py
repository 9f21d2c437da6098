"""What changing names and attributes costs: rename, unlink, directories, links, chmod. Exact counts from the endpoint's log, of a
directory that the mount has listed or made."""

import os
import subprocess
import sys
from functools import partial

import pytest

from support import bulk, machine
from support.budget import COPY, DELETE, DELETE_MANY, GET, HEAD, LIST, PUT, At, Row, check, measure, table

LINGER = 0.1  # seconds
MANY = 1001  # one more than go into a request


# What is there before.

def listed(at):
    os.listdir(at.path())


def own(*names):
    def before(at):
        for name in names:
            with open(at.path(name), "wb") as file:
                file.write(b"content")
    return before


def theirs(at):
    at.put("file", b"content")
    listed(at)


def link(at):
    os.symlink("target", at.path("link"))


def link_of_another_host(at):
    link(at)
    at.settle()
    at.forget()


def empty_directory(at):
    os.mkdir(at.path("dir"))


def own_directory(count):
    def before(at):
        os.mkdir(at.path("dir"))
        own(*(f"dir/{number}" for number in range(count)))(at)
        at.settle()
        os.listdir(at.path("dir"))
    return before


def their_directory(count):
    """Without a marker."""
    def before(at):
        bulk.put_empty(at.devs3, at.space.bucket, [at.space.key(f"dir/{number}") for number in range(count)])
        assert len(os.listdir(at.path("dir"))) == count
    return before


# How it is done.

def rename(source="file", target="new"):
    return lambda at: os.rename(at.path(source), at.path(target))


def rename_often(at):
    for source, target in (("file", "1"), ("1", "2"), ("2", "3")):
        os.rename(at.path(source), at.path(target))


def readlink(at):
    assert os.readlink(at.path("link")) == "target"


def unlink(at):
    os.unlink(at.path("file"))


def unlink_all(at):
    for name in os.listdir(at.path("dir")):
        os.unlink(at.path(f"dir/{name}"))


def remove_tree(at):
    unlink_all(at)
    os.rmdir(at.path("dir"))


def chmod(at):
    os.chmod(at.path("file"), 0o600)


def utime(at):
    os.utime(at.path("file"), (1_000_000_000, 1_000_000_000))


def chmod_chown_utime(at):
    machine.require_root()
    chmod(at)
    os.chown(at.path("file"), 12345, 12345)
    utime(at)


def chmod_to_what_it_is(at):
    os.chmod(at.path("file"), 0o644)


ROWS = [
    # what a program does, what is there before, how it is done, requests with commit=close, with commit=journal (None: the same)
    Row("rename", own("file"), rename(), {COPY: 1, DELETE: 1}),
    Row("rename of another client's file", theirs, rename(), {COPY: 1, DELETE: 1}),
    Row("rename over a file", own("file", "new"), rename(), {COPY: 1, DELETE: 1}),
    Row("rename three times", own("file"), rename_often, {COPY: 3, DELETE: 3}, {COPY: 1, DELETE: 1}, within=LINGER),
    Row("rename of an empty directory", empty_directory, rename("dir", "moved"), {LIST: 1, COPY: 1, DELETE_MANY: 1}),
    Row("rename of a directory of 20", own_directory(20), rename("dir", "moved"), {LIST: 1, COPY: 21, DELETE_MANY: 1}),
    Row("rename of a directory of 1,001", their_directory(MANY), rename("dir", "moved"), {LIST: 2, COPY: MANY, DELETE_MANY: 2}),
    Row("unlink", own("file"), unlink, {DELETE: 1}),
    Row("unlink of another client's file", theirs, unlink, {DELETE: 1}),
    Row("unlink of 1,001", their_directory(MANY), unlink_all, {DELETE: MANY}, {DELETE: range(0, 2), DELETE_MANY: range(1, 12)}),  # every two seconds
    Row("rm -r of a directory of 20", own_directory(20), remove_tree, {DELETE: 21, LIST: 1},
        {DELETE_MANY: range(1, 4), DELETE: range(1, 4), LIST: 1}),
    Row("mkdir", listed, lambda at: os.mkdir(at.path("dir")), {PUT: 1}),
    Row("rmdir", empty_directory, lambda at: os.rmdir(at.path("dir")), {LIST: 1, DELETE: 1}),
    Row("symlink", listed, link, {PUT: 1}),
    Row("mkfifo", listed, lambda at: os.mkfifo(at.path("fifo")), {PUT: 1}),
    Row("readlink of a known link", link, readlink, {}),
    Row("readlink of a known link later", link, readlink, {GET: 1}, later=True),
    Row("readlink cold", link_of_another_host, readlink, {GET: 1, LIST: 1}),
    Row("rename of a link", link, rename("link", "new"), {COPY: 1, DELETE: 1}),
    Row("chmod", own("file"), chmod, {COPY: 1}),
    Row("utimens", own("file"), utime, {COPY: 1}),
    Row("chmod, chown and utimens", own("file"), chmod_chown_utime, {COPY: 3}, {COPY: 1}, within=LINGER),
    Row("chmod to what it is", own("file"), chmod_to_what_it_is, {}),
    Row("chmod of a directory", empty_directory, lambda at: os.chmod(at.path("dir"), 0o700), {PUT: 1}, {HEAD: 1, PUT: 1}),  # what else the marker says is kept
]


@table(ROWS)
def test_changing_names_and_attributes_costs(mounts, devs3, row, mode):
    check(row, mode, partial(At, mounts, devs3))


REMOVERS = {
    "rm -r": ["rm", "-r"],
    "find -delete": ["find"],
    "shutil.rmtree": [sys.executable, "-c", "import shutil, sys; shutil.rmtree(sys.argv[1])"],
}


@pytest.mark.parametrize("how", REMOVERS)
def test_a_directory_of_another_client_that_is_removed_slowly_costs_one_delete_for_each_file(make_devs3, mounts, how):
    """So slowly that what its listing has told is not fresh any more for most of the names."""
    devs3 = make_devs3()

    def theirs_and_far_away(at):
        for number in range(200):
            at.put(f"dir/{number}", b"content")
        at.mnt
        devs3.latency(15)

    def remove(at):
        command = [*REMOVERS[how], at.path("dir"), *(["-delete"] if how == "find -delete" else [])]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=90)  # rm asks stat of each name where it may ask its user

    row = Row(how, theirs_and_far_away, remove, {}, later=True)
    at = At(mounts, devs3, row, "close")
    requests, seconds = measure(row, at)
    assert at.space.names("dir/") == []
    counts = requests.counts()
    assert seconds > 3, "the listing is fresh for a second"
    assert counts.pop(DELETE) == 200
    assert counts.pop(LIST) <= 2 * seconds + 4, "for the names, and for the directory, once in each window; before it is read, and before rmdir"
    assert counts == {}
