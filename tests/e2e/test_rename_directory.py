"""rename of a directory: every object below it gets its new key by a copy within S3, many at a time, and the program sees one rename."""

import errno
import os
import subprocess
import threading

import pytest

from support import admin, machine
from support.clients import Space
from support.devs3 import Recording
from support.errnos import fails_with
from support.wait import until

SEEN = 3


def put_tree(space, files, below="dir/"):
    for number in range(files):
        space.put(f"{below}sub{number % 3}/{number}", b"content of %d" % number)


def contents(space):
    return {name: space.get(name) for name in space.names()}


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_a_tree_is_renamed_and_everybody_sees_it(make_mount, space, commit):
    put_tree(space, 20)
    before = contents(space)
    mnt, other = make_mount(commit=commit), make_mount()
    until(lambda: (mnt / "dir").is_dir(), SEEN, "the directory is seen")
    inode = (mnt / "dir" / "sub1").stat().st_ino
    os.rename(mnt / "dir", mnt / "moved")
    assert contents(space) == {name.replace("dir/", "moved/", 1): data for name, data in before.items()}
    assert (mnt / "moved" / "sub1").stat().st_ino == inode
    assert (mnt / "moved" / "sub1" / "4").read_bytes() == b"content of 4"
    assert not (mnt / "dir").exists() and os.listdir(mnt.path) == ["moved"]
    until(lambda: os.listdir(other.path) == ["moved"], SEEN, "the other host sees it")
    mnt.remount(cold=True)
    assert (mnt / "moved" / "sub2" / "5").read_bytes() == b"content of 5"


def test_directories_made_here_keep_their_attributes(mnt):
    os.makedirs(mnt / "a" / "b" / "empty")
    os.chmod(mnt / "a" / "b", 0o710)
    (mnt / "a" / "file").write_bytes(b"x")
    os.chmod(mnt / "a" / "file", 0o604)
    os.rename(mnt / "a", mnt / "z")
    for _ in range(2):
        assert (mnt / "z" / "b").stat().st_mode == 0o040710
        assert (mnt / "z" / "file").stat().st_mode == 0o100604
        assert os.listdir(mnt / "z" / "b" / "empty") == []
        mnt.remount(cold=True)


def test_a_large_object_and_open_files_go_along(mnt, space):
    (mnt / "dir").mkdir()
    large = os.urandom(20 << 20)  # an upload of parts, whose copy has another ETag
    (mnt / "dir" / "large").write_bytes(large)
    with open(mnt / "dir" / "log", "ab") as log, open(mnt / "dir" / "large", "rb") as reader:
        log.write(b"before ")
        log.flush()
        os.rename(mnt / "dir", mnt / "moved")
        log.write(b"after")
        os.posix_fadvise(reader.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        assert reader.read() == large
    assert space.get("moved/log") == b"before after" and space.get("moved/large") == large
    with open(mnt / "moved" / "large", "r+b") as file:
        file.write(b"changed")
    assert space.get("moved/large") == b"changed" + large[7:]
    assert sorted(space.names()) == ["moved/", "moved/large", "moved/log"]


def test_a_thousand_files_are_a_thousand_copies_and_one_removal(make_devs3, mounts):
    devs3 = make_devs3()
    space = Space(devs3.client(), "e2e", "many/")
    for number in range(1000):
        space.put(f"dir/{number}", b"x")
    mnt = mounts.start(space.source, devs3.endpoint).wait_connected()
    os.listdir(mnt / "dir")
    recording = Recording(devs3, "")
    os.rename(mnt / "dir", mnt / "moved")
    counts = recording.counts()
    assert counts.pop("CopyObject") == 1000 and counts.pop("DeleteObjects") == 1
    assert set(counts) <= {"ListObjectsV2"} and counts.get("ListObjectsV2", 0) <= 2
    assert len(os.listdir(mnt / "moved")) == 1000


class SlowRename:
    """A rename of `dir` to `moved` in a thread, on a devs3 of its own that answers late, so that something can come between."""

    def __init__(self, devs3, mounts, files, **options):
        self._devs3 = devs3
        self.space = Space(devs3.client(), "e2e", "slow/")
        put_tree(self.space, files)
        self._before = contents(self.space)
        self.mnt = mounts.start(self.space.source, devs3.endpoint, **options).wait_connected()
        os.listdir(self.mnt / "dir")
        self._problem = None
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            os.rename(self.mnt / "dir", self.mnt / "moved")
        except OSError as problem:
            self._problem = problem

    def start(self, latency_ms):
        self._devs3.latency(latency_ms)
        self._thread.start()
        return self

    def wait_for_copies(self):
        until(lambda: any(name.startswith("moved/") for name in self.space.names()), 20, "some copies are there")
        return self

    def end(self):
        """What rename() has failed with, or None. From now on devs3 answers at once."""
        self._devs3.latency(0)
        self._thread.join()
        return self._problem

    def is_whole(self):
        return contents(self.space) == {name.replace("dir/", "moved/", 1): data for name, data in self._before.items()}


@pytest.fixture
def slow_rename(make_devs3, mounts):
    """slow_rename(files, **options of the mount) -> SlowRename, not started."""
    return lambda files, **options: SlowRename(make_devs3(), mounts, files, **options)


def test_status_tells_how_far_it_is(slow_rename):
    renaming = slow_rename(200).start(latency_ms=300)
    mnt = renaming.mnt
    until(lambda: any(change.get("objects") == 200 for change in admin.status(mnt)["owed"]), 10, "the rename is in the status")
    shown = admin.prefixfs("status", mnt.path).out
    assert "moved/" in shown and "of 200 objects" in shown
    assert renaming.end() is None
    assert admin.status(mnt)["owed"] == []


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_a_killed_worker_costs_a_rename_no_error(slow_rename, commit):
    renaming = slow_rename(150, commit=commit).start(latency_ms=150).wait_for_copies()
    mnt = renaming.mnt
    mnt.kill_worker()
    assert renaming.end() is None
    assert renaming.is_whole()
    assert sorted(os.listdir(mnt / "moved")) == ["sub0", "sub1", "sub2"] and not (mnt / "dir").exists()


def test_after_the_death_of_both_processes_it_is_gone_on_with(slow_rename):
    renaming = slow_rename(150).start(latency_ms=150).wait_for_copies()
    mnt = renaming.mnt
    mnt.kill()
    assert renaming.end().errno in (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO)
    mnt.start().wait_connected()
    until(lambda: admin.status(mnt)["owed"] == [], 20, "nothing is owed")
    assert renaming.is_whole()
    assert os.listdir(mnt.path) == ["moved"]


def test_one_object_that_is_refused_leaves_all_where_it_was(mnt, space, devs3):
    put_tree(space, 30)
    before = contents(space)
    until(lambda: (mnt / "dir").is_dir(), SEEN, "the directory is seen")
    with devs3.fault("CopyObject", space.key("moved/sub1/16"), "status", status=403, code="AccessDenied", count=100), fails_with(errno.EACCES):
        os.rename(mnt / "dir", mnt / "moved")
    assert contents(space) == before
    assert (mnt / "dir" / "sub1" / "16").read_bytes() == b"content of 16" and not (mnt / "moved").exists()
    os.rename(mnt / "dir", mnt / "moved")
    assert len(space.names("moved/")) == 30


def test_writers_below_wait_and_lose_nothing(mnt, space, devs3):
    (mnt / "dir").mkdir()
    put_tree(space, 60)
    stop = threading.Event()
    written, problems = [], []
    folder = os.open(mnt / "dir", os.O_DIRECTORY)

    def writes():
        number = 0
        while not stop.is_set():
            name = f"w{number}"
            try:
                fd = os.open(name, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=folder)
                os.write(fd, name.encode())
                os.close(fd)
                written.append(name)
            except OSError as problem:
                problems.append((name, problem))
            number += 1

    writing = threading.Thread(target=writes)
    writing.start()
    here = "dir"
    for number in range(6):
        there = f"moved{number}"
        os.rename(mnt / here, mnt / there)
        here = there
    stop.set()
    writing.join()
    os.close(folder)
    assert problems == []
    found = contents(space)
    assert {f"{here}/{name}": name.encode() for name in written}.items() <= found.items()
    assert all(name.startswith(f"{here}/") for name in found)


def test_shell_and_python_move_directories(mnt, tmp_path):
    machine.require_program("mv")
    (mnt / "a" / "b").mkdir(parents=True)
    (mnt / "a" / "b" / "file").write_bytes(b"x")
    subprocess.run(["mv", mnt / "a", mnt / "c"], check=True)
    assert (mnt / "c" / "b" / "file").read_bytes() == b"x"
    (mnt / "d").mkdir()
    subprocess.run(["mv", mnt / "c", mnt / "d"], check=True)
    assert (mnt / "d" / "c" / "b" / "file").read_bytes() == b"x"
    with fails_with(errno.EINVAL):
        os.rename(mnt / "d", mnt / "d" / "c" / "x")
    (mnt / "e").mkdir()
    with fails_with(errno.ENOTEMPTY):
        os.rename(mnt / "e", mnt / "d")
