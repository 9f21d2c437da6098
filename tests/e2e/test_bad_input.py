"""A cache directory that cannot be used, or that somebody has put things into: one line that names the path and what to do, and nothing is deleted.
None of it depends on the server."""

import os
import re
import stat
import subprocess

import pytest

from support import machine
from support.devs3 import ACCESS, SECRET
from support.run import run_prefixfs
from support.wait import until

MOUNT_FAILURE = 32
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


@pytest.fixture
def refuse(tmp_path, devs3, space):
    """refuse(cache_dir, *sayings, source=): the mount fails with one line that holds all the sayings."""
    machine.require_fuse()
    mountpoint = tmp_path / "mountpoint"
    mountpoint.mkdir()

    def call(cache_dir, *sayings, source=space.source):
        words = f"check,endpoint={devs3.endpoint},cache_dir={cache_dir},outage_timeout=2s"
        done = run_prefixfs(source, mountpoint, "-o", words, environment=KEYS)
        if done.returncode == 0:
            subprocess.run(["umount", "-l", mountpoint], check=True)
        assert done.returncode == MOUNT_FAILURE, done.stderr
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        for saying in (str(cache_dir), *sayings):
            assert saying in lines[0], lines[0]

    return call


@pytest.fixture
def used(make_mount, space):
    """The cache directory of a mount that has written something and has ended."""
    mnt = make_mount()
    (mnt / "a").write_bytes(b"text")
    mnt.stop()
    return mnt.cache_dir


@pytest.fixture
def small_disk(tmp_path):
    """small_disk(options): a tmpfs of its own."""
    machine.require_root()
    path, mounted = tmp_path / "disk", []

    def make(options):
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "small", path], check=True)
        mounted.append(path)
        return path

    yield make
    for made in mounted:
        subprocess.run(["umount", "-l", made], check=True)


def contents(directory):
    return {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file() and path.name not in ("lock", "lock.mdb")}


def test_a_cache_dir_that_is_a_file(devs3, refuse, tmp_path):
    cache = tmp_path / "file"
    cache.write_text("precious")
    refuse(cache, "choose another cache_dir")
    assert cache.read_text() == "precious"


def test_a_cache_dir_on_a_disk_that_is_read_only(devs3, refuse, small_disk):
    disk = small_disk("size=1m")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    refuse(disk / "cache", "Read-only file system", "choose another cache_dir")


def test_a_cache_dir_on_a_full_disk(devs3, refuse, small_disk):
    refuse(small_disk("size=16k") / "cache", "No space left on device", "free space there, or choose a cache_dir on another disk")


def test_a_disk_that_becomes_full(devs3, make_mount, small_disk, space):
    disk = small_disk("size=8m")
    mnt = make_mount(cache_dir=str(disk / "cache"), commit="journal")
    (mnt / "before").write_bytes(b"text")
    with pytest.raises(OSError) as full:
        (mnt / "large").write_bytes(os.urandom(20 << 20))
    assert full.value.errno == 28
    (mnt / "after").write_bytes(b"text")
    mnt.stop()
    assert space.names() == ["after", "before"]


def test_a_journal_of_a_newer_version(devs3, refuse, used):
    journal = used / "journal" / "data.mdb"
    data = journal.read_bytes()
    newer, records = re.subn(rb"(?<=mformat)[^\0]", b"\x63", data)
    assert records >= 1
    journal.write_bytes(newer)
    before = contents(used)
    refuse(used, "newer version of prefixfs", "choose another cache_dir")
    assert contents(used) == before


@pytest.mark.parametrize("size", [0, 1, 4096, 8192, 12288])
def test_a_journal_that_is_cut(devs3, refuse, used, size):
    os.truncate(used / "journal" / "data.mdb", size)
    (used / "stage" / "0000000000000001").write_bytes(b"acknowledged")
    refuse(used, "data.mdb", "move the cache directory away and keep it")
    assert (used / "stage" / "0000000000000001").read_bytes() == b"acknowledged"
    assert (used / "journal" / "data.mdb").stat().st_size == size


def test_garbage_in_the_journal(devs3, refuse, used):
    journal = used / "journal" / "data.mdb"
    data = journal.read_bytes()
    journal.write_bytes(data[:8192] + os.urandom(len(data) - 8192))
    before = contents(used)
    refuse(used, "data.mdb", "move the cache directory away and keep it")
    assert contents(used) == before


def test_the_cache_dir_of_another_prefix(devs3, refuse, used):
    before = contents(used)
    refuse(used, "belongs to", "s3://e2e/elsewhere", "choose another cache_dir", source="s3://e2e/elsewhere")
    assert contents(used) == before


def test_what_others_have_put_into_the_stage(devs3, make_mount, space, tmp_path):
    mnt = make_mount(commit="journal")
    (mnt / "a").write_bytes(b"text")
    mnt.stop()
    stage, victim = mnt.cache_dir / "stage", tmp_path / "victim"
    victim.write_text("precious")
    (stage / "notes.txt").write_text("theirs")
    (stage / "below" / "deep").mkdir(parents=True)
    os.mkfifo(stage / "0000000000000007")
    os.symlink(victim, stage / "0000000000000008")
    (stage / "0000000000000009").mkdir()
    mnt.start()
    until(lambda: mnt.log().count("is not a file of prefixfs and is left alone") == 5, 10, "each is named")
    (mnt / "b").write_bytes(b"text")
    mnt.stop()
    assert space.names() == ["a", "b"]
    assert (stage / "notes.txt").read_text() == "theirs"
    assert stat.S_ISFIFO(os.lstat(stage / "0000000000000007").st_mode)
    assert os.readlink(stage / "0000000000000008") == str(victim)
    assert victim.read_text() == "precious" and (stage / "below" / "deep").is_dir() and (stage / "0000000000000009").is_dir()
