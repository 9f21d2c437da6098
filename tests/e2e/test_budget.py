"""What changing bytes costs: new files, large ones, small changes of large ones, temporary names, copies. (Looking and reading:
test_budget_reads.py, names and attributes: test_budget_names.py.) Exact counts from the endpoint's log, of a directory that the mount has listed or made."""

import os
import shutil
from functools import partial

import pytest

from support import bulk
from support.budget import COMPLETE, COPY, COPY_PART, CREATE_UPLOAD, DELETE, GET, LIST, PART, PUT, At, Row, check, table, up_to
from support.syscalls import FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, fallocate

MIB = 1 << 20


# What is there before.

def listed(at):
    os.listdir(at.path())


def their_directory(at):
    at.put("dir/other")
    listed(at)


def huge_directory(at):
    """5,001 names: a listing of them would be six requests, so it is not worth one new file."""
    bulk.put_empty(at.devs3, at.space.bucket, [at.space.key(f"huge/{number:06}.pdf") for number in range(5001)])
    write("huge/a.pdf", 1)(at)  # by this it is found out that the directory is huge

def huge_directory_listed(at):
    bulk.put_empty(at.devs3, at.space.bucket, [at.space.key(f"huge/{number:06}.pdf") for number in range(5001)])
    assert len(os.listdir(at.path("huge"))) == 5001


def theirs(size):
    def before(at):
        at.put("file", bytes(size))
        listed(at)
    return before


def own_folder(at):
    os.mkdir(at.path("batch"))


def one_copied_before(at):
    """By the first copy the mount finds out what the endpoint honours."""
    at.put("file", os.urandom(300_000))
    listed(at)
    shutil.copy(at.path("file"), at.path("first"))


# How it is done.

def write(name, size):
    def calls(at):
        with open(at.path(name), "wb") as file:
            file.write(os.urandom(size))
    return calls


def look_and_write(at):
    assert not os.path.exists(at.path("new.pdf"))
    write("new.pdf", 100)(at)


def write_many(at):
    for number in range(200):
        with open(at.path(f"batch/{number}.pdf"), "wb") as file:
            file.write(b"%d" % number)


def append(size):
    def calls(at):
        with open(at.path("file"), "ab") as file:
            file.write(os.urandom(size))
    return calls


def overwrite_in_the_middle(at):
    with open(at.path("file"), "r+b") as file:
        file.seek(50 * MIB)
        file.write(os.urandom(4096))


def punch_hole(at):
    with open(at.path("file"), "r+b", buffering=0) as file:
        fallocate(file.fileno(), FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 12 * MIB, 4 * MIB)


def save_by_rename(at):
    write("file.tmp", 1000)(at)
    os.rename(at.path("file.tmp"), at.path("file"))


def save_with_attributes(at):
    """As rsync and tar do."""
    write("file.tmp", 1000)(at)
    os.chmod(at.path("file.tmp"), 0o640)
    os.utime(at.path("file.tmp"), (1_000_000_000, 1_000_000_000))
    os.rename(at.path("file.tmp"), at.path("file"))


def save_with_attributes_before_close(at):
    with open(at.path("file.tmp"), "wb") as file:
        file.write(bytes(1000))
        os.fchmod(file.fileno(), 0o640)
        file.flush()
        os.utime(file.fileno(), (1_000_000_000, 1_000_000_000))
    os.rename(at.path("file.tmp"), at.path("file"))


def copy_within(at):
    with open(at.path("file"), "rb") as source, open(at.path("copy"), "wb") as copy:
        assert os.copy_file_range(source.fileno(), copy.fileno(), 1 << 30) == os.fstat(source.fileno()).st_size


# What must be of the requests besides.

def few_bytes(requests, at):
    assert requests.bytes_in() <= 16 * MIB
    assert at.space.head("file")["ContentLength"] >= 30 * MIB


def under_the_final_name(requests, at):
    if not requests.of(COPY):
        assert {request.key for request in requests.of(PUT)} == {at.space.key("file")}


CHANGED_PART = {CREATE_UPLOAD: 1, COPY_PART: 2, PART: 1, COMPLETE: 1}

ROWS = [
    # what a program does, what is there before, how it is done, requests with commit=close, with commit=journal
    Row("a new file of 0 bytes", listed, write("new", 0), {PUT: 1}),
    Row("a new file of 1 byte", listed, write("new", 1), {PUT: 1}),
    Row("a new file of 100 kB", listed, write("new", 100_000), {PUT: 1}),
    Row("a new file of the part size", listed, write("new", 8 * MIB), {PUT: 1}),
    Row("a new file in a directory never seen", their_directory, write("dir/new", 100), {PUT: 1, LIST: 1}),
    Row("a new file where listing is not allowed", lambda at: at.mnt, write("new.pdf", 100), {PUT: 1}, listing=False),
    Row("a look, and a new file where listing is not allowed", lambda at: at.mnt, look_and_write, {GET: 1, PUT: 1}, listing=False),
    Row("200 new files", own_folder, write_many, {PUT: 200, LIST: up_to(2)}),
    Row("a new file in a directory of 5,000", huge_directory, write("huge/b.pdf", 1), {PUT: 1, LIST: 1}, later=True),
    Row("a new file in a directory of 5,000 just listed", huge_directory_listed, write("huge/b.pdf", 1), {PUT: 1}),
    Row("a sequential write of 40 MiB", listed, write("new", 40 * MIB), {CREATE_UPLOAD: 1, PART: 5, COMPLETE: 1}),
    # The first GET opens it, the second one brings the unchanged neighbours that make a part of the change.
    Row("an append to 100 MiB", theirs(100 * MIB), append(1000), {GET: 1, CREATE_UPLOAD: 1, COPY_PART: 1, PART: 1, COMPLETE: 1}, also=few_bytes),
    Row("4 kB in the middle of 100 MiB", theirs(100 * MIB), overwrite_in_the_middle, {GET: 2, **CHANGED_PART}, also=few_bytes),
    Row("a hole in 30 MiB", theirs(30 * MIB), punch_hole, {GET: 2, **CHANGED_PART}, also=few_bytes),
    Row("a temporary name and rename", listed, save_by_rename, {PUT: 1, COPY: 1, DELETE: 1}, {PUT: 1}, within=1, also=under_the_final_name),
    Row("a temporary name, chmod, utimens, rename", listed, save_with_attributes,
        {PUT: 1, COPY: 3, DELETE: 1}, {PUT: 1}, within=1, also=under_the_final_name),
    Row("a temporary name, fchmod and futimens before close, rename", listed, save_with_attributes_before_close,
        {PUT: 1, COPY: 1, DELETE: 1}, {PUT: 1}, within=1, also=under_the_final_name),
    Row("cp of a file on the mount", one_copied_before, copy_within, {COPY: 1}),
    Row("cp of another client's file", lambda at: (one_copied_before(at), at.forget(), listed(at)), copy_within, {COPY: 1, GET: 1}),
]


@table(ROWS)
def test_changing_bytes_costs(mounts, devs3, row, mode):
    check(row, mode, partial(At, mounts, devs3))


@pytest.mark.parametrize("mode", ["close", "journal"])
def test_200_new_files_cost_no_more_when_s3_is_far_away(make_devs3, mounts, mode):
    """Writing them takes several freshness windows, and each name is looked up before it is created."""
    devs3 = make_devs3()
    row = Row("200 new files, S3 far away", lambda at: (own_folder(at), at.settle(), devs3.latency(15)), write_many, {PUT: 200, LIST: up_to(4)}, later=True)
    check(row, mode, partial(At, mounts, devs3))
