"""Symbolic links: objects whose body is the target."""

import os
import stat
import subprocess
import sys
import threading
import time
from errno import EEXIST, ELOOP, ENAMETOOLONG, ENOENT

from support import machine
from support.errnos import fails_with
from support.wait import until

A_TIME = 1_600_000_000


def test_a_link_is_an_object_whose_body_is_the_target(mnt, space):
    os.symlink("dir/target", mnt / "link")
    assert space.get("link") == b"dir/target"
    assert space.head("link")["Metadata"]["file-permissions"] == "0120777"
    found = os.lstat(mnt / "link")
    assert (found.st_mode, found.st_size) == (0o120777, 10)
    assert os.readlink(mnt / "link") == "dir/target"


def test_links_outlive_a_cold_remount(mnt):
    (mnt / "dir").mkdir()
    (mnt / "dir" / "file").write_bytes(b"content")
    os.symlink("dir/file", mnt / "link")
    os.symlink("dir", mnt / "to-dir")
    os.symlink("nowhere", mnt / "dangling")
    mnt.remount(cold=True)
    assert (mnt / "link").read_bytes() == b"content"
    assert os.listdir(mnt / "to-dir") == ["file"]
    assert (mnt / "to-dir" / "file").read_bytes() == b"content"
    assert os.readlink(mnt / "dangling") == "nowhere"
    with fails_with(ENOENT):
        open(mnt / "dangling")


def test_another_host_sees_them(make_mount):
    here, there = make_mount(), make_mount()
    os.listdir(there.path)
    os.symlink("file", here / "link")
    os.mkfifo(here / "fifo")
    until(lambda: stat.S_ISLNK(os.lstat(there / "link").st_mode), 5, "the link is seen as one")
    assert os.readlink(there / "link") == "file"
    assert stat.S_ISFIFO(os.lstat(there / "fifo").st_mode)
    with fails_with(EEXIST):
        os.symlink("other", there / "link")
    os.unlink(there / "link")
    until(lambda: not os.path.lexists(here / "link"), 5, "it is gone")


def test_of_two_hosts_that_make_one_name_one_is_told(make_mount):
    here, there = make_mount(), make_mount()
    for mnt in (here, there):
        os.listdir(mnt.path)
    os.symlink("mine", here / "lock")
    with fails_with(EEXIST):
        os.symlink("theirs", there / "lock")
    assert os.readlink(there / "lock") == "mine"


def test_links_are_followed_as_on_a_disk(mnt, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"outside")
    os.symlink(outside, mnt / "out")
    assert (mnt / "out").read_bytes() == b"outside"
    (mnt / "out").write_bytes(b"written through")
    assert outside.read_bytes() == b"written through"
    os.symlink("b", mnt / "a")
    os.symlink("a", mnt / "b")
    with fails_with(ELOOP):
        open(mnt / "a")
    with fails_with(ELOOP):
        os.open(mnt / "out", os.O_RDONLY | os.O_NOFOLLOW)
    with fails_with(EEXIST):
        os.symlink("x", mnt / "a")
    (mnt / "file").write_bytes(b"x")
    os.symlink("file", mnt / "to-file")
    with open(mnt / "to-file", "ab") as file:
        file.write(b"y")
    assert (mnt / "file").read_bytes() == b"xy" and os.path.islink(mnt / "to-file")
    os.symlink("made", mnt / "to-new")
    (mnt / "to-new").write_bytes(b"z")
    assert (mnt / "made").read_bytes() == b"z"


def test_targets_have_bounds(mnt):
    longest = "t" * 4095
    os.symlink(longest, mnt / "longest")
    assert os.readlink(mnt / "longest") == longest
    with fails_with(ENAMETOOLONG):
        os.symlink(longest + "t", mnt / "longer")
    with fails_with(ENOENT):
        os.symlink("", mnt / "none")
    strange = "ä\n\t %2F"
    os.symlink(strange, mnt / "strange")
    mnt.remount(cold=True)
    assert os.readlink(mnt / "strange") == strange
    assert os.readlink(mnt / "longest") == longest


def test_links_are_renamed_and_removed_and_have_owner_and_times_of_their_own(mnt):
    machine.require_root()
    (mnt / "file").write_bytes(b"content")
    os.symlink("file", mnt / "link")
    os.chown(mnt / "link", 12, 34, follow_symlinks=False)
    os.utime(mnt / "link", ns=(A_TIME * 10**9 + 1, A_TIME * 10**9 + 2), follow_symlinks=False)
    os.rename(mnt / "link", mnt / "moved")
    mnt.remount(cold=True)
    found = os.lstat(mnt / "moved")
    assert (found.st_mode, found.st_uid, found.st_gid) == (0o120777, 12, 34)
    assert (found.st_atime_ns, found.st_mtime_ns) == (A_TIME * 10**9 + 1, A_TIME * 10**9 + 2)
    assert (mnt / "file").stat().st_uid != 12
    os.replace(mnt / "file", mnt / "moved")
    assert (mnt / "moved").read_bytes() == b"content" and not os.path.islink(mnt / "moved")
    os.symlink("moved", mnt / "link")
    os.unlink(mnt / "link")
    assert os.listdir(mnt.path) == ["moved"]
    with fails_with(ENOENT):
        os.readlink(mnt / "link")


def test_programs_of_other_makers_links_are_read(mnt, space):
    space.put("s3fs", b"a/b", Metadata={"mode": str(0o120777), "uid": "0", "gid": "0", "mtime": "1"})
    space.put("fsx", b"a/b", Metadata={"file-permissions": "0120777"})
    space.put("geesefs", b"", Metadata={"--symlink-target": "a%2Fb"})
    space.put("plain.rclonelink", b"a/b")
    for name in ("s3fs", "fsx", "geesefs"):
        assert os.readlink(mnt / name) == "a/b"
        assert os.lstat(mnt / name).st_size == 3
    assert (mnt / "plain.rclonelink").read_bytes() == b"a/b"


def test_a_link_that_cannot_be_one_is_a_file(mnt, space):
    for name, body in (("empty", b""), ("nul", b"a\0b"), ("long", b"x" * 4096)):
        space.put(name, body, Metadata={"file-permissions": "0120777"})
        assert stat.S_ISREG(os.lstat(mnt / name).st_mode)
        assert (mnt / name).read_bytes() == body
    assert mnt.log().count("make no sense") == 1


def test_a_link_of_another_client_is_one_get(mnt, space, record):
    space.put("link", b"target", Metadata={"file-permissions": "0120777"})
    os.listdir(mnt.path)
    time.sleep(1.2)  # the time is the point: the listing is not believed any more
    recording = record()
    assert os.readlink(mnt / "link") == "target"
    assert recording.counts() == {"GetObject": 1}


def test_a_virtual_environment_of_python(mnt):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", mnt / "venv"], check=True)
    said = subprocess.run([mnt / "venv/bin/python", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(mnt / "venv")
    assert os.path.islink(mnt / "venv/bin/python")


def test_a_killed_worker_costs_a_maker_of_links_no_error(mnt):
    enough = threading.Event()
    made, problems = [], []

    def make():
        while not enough.is_set():
            number = len(made)
            try:
                os.symlink(f"target-{number}", mnt / f"link-{number}")
            except OSError as error:
                problems.append(error)
            made.append(number)

    maker = threading.Thread(target=make)
    maker.start()
    for _ in range(5):
        before = len(made)
        until(lambda: len(made) >= before + 5, 20, "more links are made")
        mnt.kill_worker()
    enough.set()
    maker.join()
    assert problems == []
    assert all(os.readlink(mnt / f"link-{number}") == f"target-{number}" for number in made)
