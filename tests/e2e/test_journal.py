"""commit=journal and outages: what close() has acknowledged is on the disk, and gets into S3 whatever happens."""

import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from errno import EIO

import pytest

from support.clients import Space
from support.errnos import fails_with
from support.wait import Stopwatch, until


def all_there(space, files, timeout=30):
    def there():
        return set(files) <= set(space.names())

    until(there, timeout, f"{len(files)} objects")
    for name, data in files.items():
        assert space.get(name) == data, name


@pytest.fixture
def own(make_devs3, mounts):
    """A devs3 and a prefix of the test's own."""
    server = make_devs3()
    space = Space(server.client(), "e2e", "journal/")

    def start(**options):
        return mounts.start(space.source, server.endpoint, **options).wait_connected()

    return server, space, start


def test_close_does_not_wait_for_s3_and_s3_gets_everything(make_mount, space):
    mnt = make_mount(commit="journal")
    files = {f"file-{i}.pdf": os.urandom(1000 + i) for i in range(50)}
    for name, data in files.items():
        (mnt / name).write_bytes(data)
        assert (mnt / name).read_bytes() == data
    assert sorted(os.listdir(mnt.path)) == sorted(files)
    all_there(space, files)


def test_umount_waits_until_all_is_delivered(make_mount, space):
    mnt = make_mount(commit="journal")
    files = {f"file-{i}": os.urandom(500_000) for i in range(30)}
    for name, data in files.items():
        (mnt / name).write_bytes(data)
    mnt.stop()
    assert {name: space.get(name) for name in files} == files


def test_two_hundred_files_survive_kill_9(own):
    server, space, start = own
    server.latency(200)
    mnt = start(commit="journal")
    files = {f"cv-{i}.pdf": os.urandom(20_000) for i in range(200)}
    for name, data in files.items():
        (mnt / name).write_bytes(data)
    mnt.kill()
    assert len(space.names()) < 200
    mnt.start()
    for name, data in list(files.items())[:20]:
        assert (mnt / name).read_bytes() == data
    all_there(space, files)
    assert space.uploads() == []


def test_overwrites_appends_and_large_files_survive_kill_9(own):
    server, space, start = own
    space.put("over", b"old")
    space.put("log", b"line 1\n")
    big = os.urandom(40 << 20)
    server.latency(300)
    mnt = start(commit="journal")
    (mnt / "over").write_bytes(b"new")
    with open(mnt / "log", "ab") as log:
        log.write(b"line 2\n")
    (mnt / "big").write_bytes(big)
    (mnt / "temp").write_bytes(b"renamed")
    os.rename(mnt / "temp", mnt / "final")
    mnt.kill()
    server.latency(0)
    mnt.start()
    all_there(space, {"over": b"new", "log": b"line 1\nline 2\n", "big": big, "final": b"renamed"})
    until(lambda: not space.exists("temp"), 10, "the temporary name is gone")


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_files_closed_in_an_outage_are_delivered_when_s3_is_back(own, commit):
    server, space, start = own
    mnt = start(commit=commit, outage_timeout="1s")
    os.listdir(mnt.path)
    space.put("other", b"of another client")
    server.stop()
    files = {f"file-{i}": os.urandom(10_000) for i in range(20)}
    with Stopwatch() as watch:
        for name, data in files.items():
            with open(mnt / name, "wb") as file:
                file.write(data)
    assert watch.seconds < 10, "only the first close waits"
    for name, data in files.items():
        assert (mnt / name).read_bytes() == data
    server.start()
    all_there(space, files)
    (mnt / "afterwards").write_bytes(b"S3 has it")
    assert commit == "journal" or space.get("afterwards") == b"S3 has it"


def test_an_outage_and_a_reboot_in_between(own):
    server, space, start = own
    mnt = start(outage_timeout="1s")
    server.stop()
    (mnt / "cv.pdf").write_bytes(b"text")
    mnt.kill()
    mnt.start()
    assert (mnt / "cv.pdf").read_bytes() == b"text"
    server.start()
    all_there(space, {"cv.pdf": b"text"})


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_stored_files_are_renamed_and_their_attributes_changed_in_an_outage(own, commit):
    server, space, start = own
    for name in ["a", "b", "c", "replaced"]:
        space.put(name, name.encode() * 1000)
    mnt = start(commit=commit, outage_timeout="1s")
    for name in os.listdir(mnt.path):
        (mnt / name).read_bytes()
    server.stop()
    (mnt / "first").write_bytes(b"finds that S3 does not answer")
    with Stopwatch() as watch:
        os.rename(mnt / "a", mnt / "renamed")
        os.rename(mnt / "b", mnt / "replaced")
        os.chmod(mnt / "c", 0o600)
        os.utime(mnt / "c", (1_000_000, 1_000_000))
        os.rename(mnt / "renamed", mnt / "renamed again")
    assert watch.seconds < 5
    assert sorted(os.listdir(mnt.path)) == ["c", "first", "renamed again", "replaced"]
    assert (mnt / "renamed again").read_bytes() == b"a" * 1000
    mnt.kill()
    mnt.start()
    assert sorted(os.listdir(mnt.path)) == ["c", "first", "renamed again", "replaced"]
    assert os.stat(mnt / "c").st_mode & 0o777 == 0o600
    server.start()
    until(lambda: sorted(space.names()) == ["c", "first", "renamed again", "replaced"], 30, "the renames are in S3")
    assert space.get("renamed again") == b"a" * 1000
    assert space.get("replaced") == b"b" * 1000
    until(lambda: space.head("c")["Metadata"].get("file-permissions") == "0100600", 30, "the mode is in S3")
    assert os.stat(mnt / "c").st_mtime == 1_000_000
    assert (mnt / "replaced").read_bytes() == b"b" * 1000


def test_renames_of_stored_files_survive_kill_9(own):
    server, space, start = own
    names = [f"cv-{i}.pdf" for i in range(50)]
    for name in names:
        space.put(name, name.encode())
    mnt = start(commit="journal")
    os.listdir(mnt.path)
    server.latency(200)
    for name in names:
        os.rename(mnt / name, mnt / f"done-{name}")
    mnt.kill()
    server.latency(0)
    mnt.start()
    assert sorted(os.listdir(mnt.path)) == sorted(f"done-{name}" for name in names)
    until(lambda: sorted(space.names()) == sorted(f"done-{name}" for name in names), 30, "the renames are in S3")
    for name in names:
        assert space.get(f"done-{name}") == name.encode()


def test_an_exclusive_create_is_not_acknowledged_in_an_outage(own):
    server, space, start = own
    mnt = start(outage_timeout="1s")
    os.listdir(mnt.path)
    server.stop()
    descriptor = os.open(mnt / "lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(descriptor, b"mine")
    with fails_with(EIO):
        os.close(descriptor)
    assert b"mine" in mnt.kept_files()


def test_a_copy_goes_on_through_an_outage_of_thirty_seconds(own, tmp_path):
    server, space, start = own
    source = tmp_path / "source"
    source.mkdir()
    files = {f"file-{i}": os.urandom(50_000) for i in range(60)}
    for name, data in files.items():
        (source / name).write_bytes(data)
    mnt = start(outage_timeout="2s")
    done = threading.Event()

    def copy():
        for name in files:
            shutil.copyfile(source / name, mnt / name)
            time.sleep(0.1)  # the copy is to last longer than the beginning of the outage
        done.set()

    thread = threading.Thread(target=copy)
    thread.start()
    until(lambda: len(space.names()) > 5, 20, "the copy is under way")
    server.stop()
    time.sleep(30)  # the time is the point
    server.start()
    thread.join(60)
    assert done.is_set()
    all_there(space, files)


def test_deleting_many_files_is_a_few_requests(own):
    server, space, start = own
    for i in range(300):
        space.put(f"dir/file-{i}", b"x")
    mnt = start(commit="journal")
    shutil.rmtree(mnt / "dir")
    assert os.listdir(mnt.path) == []
    until(lambda: space.names() == [], 20, "all objects are gone")


def test_unlink_of_a_file_that_was_never_uploaded_uploads_nothing(own):
    server, space, start = own
    mnt = start(commit="journal")
    server.stop()
    with open(mnt / "temp", "wb") as file:
        file.write(b"text")
    os.unlink(mnt / "temp")
    assert not (mnt / "temp").exists()
    server.start()
    (mnt / "last").write_bytes(b"last")
    all_there(space, {"last": b"last"})
    assert space.names() == ["last"]
