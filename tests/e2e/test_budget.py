"""How many requests each thing costs. Exact counts from the endpoint's log, of a directory that the mount has listed or made."""

import os
import time

import pytest

from support import bulk
from support.clients import Space
from support.devs3 import Recording
from support.wait import until


def listed(mnt, name=""):
    """ls of the directory, so that what follows costs only itself."""
    return os.listdir(mnt / name)


def total(counts):
    return sum(counts.values())


@pytest.mark.parametrize("size", [0, 1, 100_000, 8 << 20])
def test_creating_a_file_up_to_the_part_size_is_one_put(mnt, record, size):
    listed(mnt)
    recording = record()
    (mnt / "new").write_bytes(os.urandom(size))
    assert recording.counts() == {"PutObject": 1}


def test_creating_a_file_in_a_directory_never_seen_is_one_more(mnt, space, record):
    space.put("dir/other", b"x")
    until(lambda: (mnt / "dir").is_dir(), 3, "the directory is seen")
    recording = record()
    (mnt / "dir" / "new").write_bytes(b"content")
    counts = recording.counts()
    assert counts.pop("PutObject") == 1
    assert total(counts) <= 1 and set(counts) <= {"ListObjectsV2", "HeadObject"}


def test_two_hundred_new_files_are_two_hundred_puts_and_at_most_two_more(mnt, space, record):
    (mnt / "batch").mkdir()
    recording = record()
    for number in range(200):
        (mnt / "batch" / f"{number}.pdf").write_bytes(b"%d" % number)
    counts = recording.counts()
    assert counts.pop("PutObject") == 200
    assert total(counts) <= 2
    assert len(space.names("batch/")) == 201


def test_two_hundred_new_files_cost_no_more_when_s3_is_far_away(make_devs3, mounts):
    """Writing them takes several freshness windows, and each name is looked up before it is created."""
    devs3 = make_devs3()
    space = Space(devs3.client(), "e2e", "far/")
    mnt = mounts.start(space.source, devs3.endpoint).wait_connected()
    listed(mnt)
    devs3.latency(15)
    recording = Recording(devs3, space.prefix)
    for number in range(200):
        with open(mnt / f"{number}.pdf", "wb") as file:
            file.write(b"%d" % number)
    counts = recording.counts()
    assert counts.pop("PutObject") == 200
    assert total(counts) <= 2
    assert len(space.names()) == 200


def test_a_new_file_in_a_huge_directory_is_one_put_and_one_head(devs3, mnt, space, record):
    """5,001 names: a listing of them would be six requests, so it is not worth one new file."""
    bulk.put_empty(devs3, space.bucket, [space.key(f"huge/{number:06}.pdf") for number in range(5001)])
    until(lambda: (mnt / "huge").is_dir(), 3, "the directory is seen")
    recording = record()
    (mnt / "huge" / "a.pdf").write_bytes(b"x")  # what this costs is the price of finding out that the directory is huge
    assert recording.counts()["PutObject"] == 1 and total(recording.counts()) <= 6
    time.sleep(1.1)  # the time is the point: what was learnt is no longer fresh
    recording = record()
    (mnt / "huge" / "b.pdf").write_bytes(b"x")
    counts = recording.counts()
    assert counts.pop("PutObject") == 1 and total(counts) <= 1


def test_a_huge_directory_just_listed_answers_for_new_names(devs3, mnt, space, record):
    bulk.put_empty(devs3, space.bucket, [space.key(f"huge/{number:06}.pdf") for number in range(5001)])
    mnt.path.stat()
    recording = record()
    assert len(listed(mnt, "huge")) == 5001
    assert recording.counts()["ListObjectsV2"] <= 8  # six pages; the lookup of "huge": one page of the root, one of its own
    recording = record()
    (mnt / "huge" / "new.pdf").write_bytes(b"x")
    assert recording.counts() in ({"PutObject": 1}, {"PutObject": 1, "HeadObject": 1})


def test_stat_of_another_clients_file_is_at_most_one(mnt, space, record):
    space.put("file", b"content")
    listed(mnt)
    recording = record()
    assert (mnt / "file").stat().st_size == 7
    assert total(recording.counts()) <= 1


def test_stat_in_a_directory_whose_listing_is_old_is_one(mnt, space, record):
    space.put("file", b"content")
    listed(mnt)
    time.sleep(1.1)  # the time is the point
    recording = record()
    assert (mnt / "file").stat().st_size == 7
    assert total(recording.counts()) == 1


@pytest.mark.parametrize("size", [1, 4096, 100_000, 128 << 10])
def test_reading_another_clients_small_file_is_one_get(mnt, space, record, size):
    data = os.urandom(size)
    space.put("file", data)
    listed(mnt)
    recording = record()
    assert (mnt / "file").read_bytes() == data
    assert recording.counts() == {"GetObject": 1}


@pytest.mark.parametrize("size", [(128 << 10) + 1, 1 << 20, 8 << 20])
def test_reading_up_to_a_read_ahead_window_is_one_or_two_gets(mnt, space, record, size):
    data = os.urandom(size)
    space.put("file", data)
    listed(mnt)
    recording = record()
    assert (mnt / "file").read_bytes() == data
    requests = recording.requests()
    assert set(requests.counts()) == {"GetObject"} and 1 <= len(requests) <= 2
    assert requests.bytes_out() <= size + 1  # nothing is fetched twice


def test_an_unchanged_file_again_is_nothing_within_the_window(mnt, space, record):
    space.put("file", b"content")
    listed(mnt)
    (mnt / "file").read_bytes()
    recording = record()
    assert (mnt / "file").read_bytes() == b"content"
    (mnt / "file").stat()
    assert recording.counts() == {}


def test_an_unchanged_file_again_is_one_conditional_request_after_the_window(mnt, space, record):
    space.put("file", b"content")
    listed(mnt)
    (mnt / "file").read_bytes()
    time.sleep(1.1)  # the time is the point
    recording = record()
    assert (mnt / "file").read_bytes() == b"content"
    requests = recording.requests()
    assert len(requests) <= 1 and requests.bytes_out() == 0


def test_an_unchanged_file_again_is_nothing_for_ever_when_objects_are_immutable(make_mount, space, record):
    space.put("file", b"content")
    mnt = make_mount(coherence="immutable")
    listed(mnt)
    (mnt / "file").read_bytes()
    time.sleep(1.1)  # the time is the point
    recording = record()
    assert (mnt / "file").read_bytes() == b"content"
    assert recording.counts() == {}


def test_a_missing_name_is_at_most_one_then_nothing_within_the_window(mnt, record):
    mnt.path.stat()
    recording = record()
    assert not (mnt / "missing").exists()
    assert total(recording.counts()) <= 1
    recording = record()
    assert not (mnt / "missing").exists()
    assert recording.counts() == {}


def test_a_missing_name_in_a_listed_directory_is_nothing(mnt, space, record):
    space.put("file", b"x")
    listed(mnt)
    recording = record()
    assert not (mnt / "missing").exists()
    assert recording.counts() == {}


@pytest.mark.parametrize("count, pages", [(1, 1), (999, 1), (1000, 1), (1001, 2), (2500, 3)])
def test_ls_with_attributes_is_its_list_pages_and_no_head(devs3, mnt, space, record, count, pages):
    bulk.put_empty(devs3, space.bucket, [space.key(f"{number:05}") for number in range(count)])
    mnt.path.stat()
    time.sleep(1.1)  # until what the daemon listed at its start is no longer fresh
    recording = record()
    with os.scandir(mnt.path) as entries:
        assert sum(entry.stat().st_size == 0 for entry in entries) == count
    assert recording.counts() == {"ListObjectsV2": pages}


def test_a_sequential_read_of_a_large_file_is_its_parts(mnt, space, record):
    data = os.urandom(40 << 20)
    space.put("file", data)
    listed(mnt)
    recording = record()
    assert (mnt / "file").read_bytes() == data
    requests = recording.requests()
    assert set(requests.counts()) == {"GetObject"} and len(requests) <= 7  # five parts, the first block, one to spare
    assert requests.bytes_out() <= len(data) + (1 << 20)


def test_a_sequential_write_of_a_large_file_is_two_and_its_parts(mnt, record):
    listed(mnt)
    recording = record()
    (mnt / "file").write_bytes(bytes(40 << 20))
    assert recording.counts() == {"CreateMultipartUpload": 1, "UploadPart": 5, "CompleteMultipartUpload": 1}


@pytest.mark.parametrize("change", ["append", "overwrite"])
def test_a_small_change_of_a_large_file_is_at_most_five_and_two_parts_of_bytes(mnt, space, record, change):
    space.put("file", bytes(100 << 20))
    listed(mnt)
    recording = record()
    with open(mnt / "file", "r+b") as file:
        file.seek(0, os.SEEK_END) if change == "append" else file.seek(50 << 20)
        file.write(os.urandom(4096))
    requests = recording.requests()
    writes = requests.of("CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "PutObject")
    assert len(writes) <= 5
    assert writes.bytes_in() <= 16 << 20
    assert space.head("file")["ContentLength"] == (100 << 20) + (4096 if change == "append" else 0)


def test_rename_is_one_copy_and_one_delete(mnt, record):
    (mnt / "old").write_bytes(b"x")
    recording = record()
    os.rename(mnt / "old", mnt / "new")
    counts = recording.counts()
    assert counts.pop("CopyObject") == 1 and counts.pop("DeleteObject") == 1
    assert total(counts) <= 1  # the target's name may have to be looked up


def test_chmod_and_utimens_of_a_stored_file_are_one_copy_each(mnt, record):
    (mnt / "file").write_bytes(b"x")
    recording = record()
    os.chmod(mnt / "file", 0o600)
    assert recording.counts() == {"CopyObject": 1}
    recording = record()
    os.utime(mnt / "file", (1_000_000_000, 1_000_000_000))
    assert recording.counts() == {"CopyObject": 1}


def test_mkdir_and_unlink_are_one_each(mnt, record):
    listed(mnt)
    recording = record()
    (mnt / "dir").mkdir()
    assert recording.counts() == {"PutObject": 1}
    (mnt / "file").write_bytes(b"x")
    recording = record()
    (mnt / "file").unlink()
    assert recording.counts() == {"DeleteObject": 1}
