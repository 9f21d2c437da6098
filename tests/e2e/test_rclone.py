"""What rclone has copied with `--metadata` has the modes, owners and times here that it had where it came from."""

import os
import stat

import pytest

from support import machine, rclone
from support.tree import Entry, expected, make, shown
from support.wait import until

FILE, DIRECTORY = stat.S_IFREG, stat.S_IFDIR
OLD = 1_000_000_000 * 10**9 + 1
PART = 5 << 20

TREE = [
    Entry("empty", FILE | 0o640),
    Entry("small", FILE | 0o600, b"content"),
    Entry("large", FILE | 0o755, bytes(PART) + b"the second part"),
    Entry("set-id", FILE | 0o4755, b"#!/bin/sh\n"),
    Entry("owned", FILE | 0o604, b"content", uid=1000, gid=1001),
    Entry("old", FILE | 0o644, b"content", mtime_ns=OLD),
    Entry("Zürich + 100%.pdf", FILE | 0o644, b"content"),
    Entry("dir", DIRECTORY | 0o755),
    Entry("dir/file", FILE | 0o400, b"content"),
]
FILES = [entry for entry in TREE if stat.S_ISREG(entry.mode)]  # rclone says nothing of directories
NAMES = [entry.name for entry in FILES]


@pytest.fixture
def server(request, make_devs3):
    """rclone signs no bodies, which devs3 takes only when it is told to."""
    if request.param == "devs3":
        return make_devs3(None, "--allow-unsigned-payload")
    return request.getfixturevalue(request.param)


@pytest.fixture
def copied(server, space, tmp_path):
    """TREE, in the bucket."""
    machine.require_root()
    machine.require_program("rclone")
    source = tmp_path / "source"
    source.mkdir()
    make(source, TREE)
    os.utime(source / "old", ns=(OLD + 5, OLD))
    rclone.copy(server, space, source, tmp_path, "--metadata", "--s3-upload-cutoff=5Mi", "--s3-chunk-size=5Mi", TZ="Europe/Berlin")
    return space


def test_files_that_rclone_has_copied_have_their_attributes(copied, make_mount):
    mnt = make_mount()
    assert shown(mnt.path, NAMES) == expected(FILES)
    assert (mnt / "old").stat().st_atime_ns == OLD + 5
    assert "make no sense" not in mnt.log()


def test_they_keep_them_when_they_are_changed_here(copied, make_mount):
    mnt = make_mount()
    for entry in FILES:
        with open(mnt / entry.name, "r+b") as file:
            file.write(entry.content[:1])
        os.utime(mnt / entry.name, ns=(entry.mtime_ns, entry.mtime_ns))
    mnt.remount(cold=True)
    assert shown(mnt.path, NAMES) == expected(FILES)


def test_what_is_written_through_rclones_mount_is_read(server, space, make_mount, tmp_path):
    """It stores each file some moments after its close, with the mode of its own cache; of a time that is set meanwhile it makes what it will."""
    machine.require_program("rclone")
    theirs = rclone.RcloneMount(server, space, tmp_path / "rclone", "--metadata").start()
    try:
        (theirs / "dir").mkdir()
        (theirs / "dir" / "file").write_bytes(b"content")
        until(lambda: space.exists("dir/file"), 30, "S3 has it")
        theirs.remount(cold=True)
        mnt = make_mount()
        assert (mnt / "dir" / "file").read_bytes() == b"content"
        assert (mnt / "dir" / "file").stat().st_mtime_ns == (theirs / "dir" / "file").stat().st_mtime_ns
        (mnt / "dir" / "file").write_bytes(b"changed here")
        theirs.remount(cold=True)
        assert (theirs / "dir" / "file").read_bytes() == b"changed here"
    finally:
        theirs.stop()
