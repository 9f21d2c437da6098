"""atime, mtime and ctime of files and directories."""

import os
import subprocess

A_TIME = 1_600_000_000


def test_an_atime_that_is_set_stays(mnt, space):
    (mnt / "file").write_bytes(b"content")
    os.utime(mnt / "file", ns=(A_TIME * 10**9 + 5, A_TIME * 10**9 + 7))
    assert space.head("file")["Metadata"]["file-atime"] == f"{A_TIME * 10**9 + 5}ns"
    assert (mnt / "file").read_bytes() == b"content"
    mnt.remount(cold=True)
    found = (mnt / "file").stat()
    assert (found.st_atime_ns, found.st_mtime_ns) == (A_TIME * 10**9 + 5, A_TIME * 10**9 + 7)


def test_an_atime_that_nobody_has_set_is_the_mtime_and_is_not_written(mnt, space):
    (mnt / "file").write_bytes(b"content")
    os.utime(mnt / "file", (A_TIME, A_TIME))
    found = (mnt / "file").stat()
    assert found.st_atime_ns == found.st_mtime_ns == A_TIME * 10**9
    assert "file-atime" not in space.head("file")["Metadata"]


def test_touch_moves_what_it_is_told_to(mnt):
    (mnt / "file").write_bytes(b"content")
    os.utime(mnt / "file", (A_TIME, A_TIME))
    subprocess.run(["touch", "-a", "-d", "@1500000000", mnt / "file"], check=True)
    assert [int(t) for t in ((mnt / "file").stat().st_atime, (mnt / "file").stat().st_mtime)] == [1_500_000_000, A_TIME]
    subprocess.run(["touch", "-m", "-d", "@1400000000", mnt / "file"], check=True)
    assert [int(t) for t in ((mnt / "file").stat().st_atime, (mnt / "file").stat().st_mtime)] == [1_500_000_000, 1_400_000_000]
    subprocess.run(["touch", mnt / "file"], check=True)
    found = (mnt / "file").stat()
    assert found.st_atime_ns == found.st_mtime_ns and found.st_mtime > A_TIME


def test_ctime_moves_with_each_change_and_not_with_the_mtime(mnt):
    (mnt / "file").write_bytes(b"content")
    os.symlink("x", mnt / "link")
    changes = [lambda: os.chmod(mnt / "file", 0o600), lambda: os.utime(mnt / "file", (A_TIME, A_TIME)), lambda: os.rename(mnt / "file", mnt / "new"),
               lambda: (mnt / "file").write_bytes(b"more")]
    for change in changes:
        before = (mnt / "file").stat().st_ctime_ns
        change()
        name = "file" if (mnt / "file").exists() else "new"
        assert (mnt / name).stat().st_ctime_ns > before
        if name == "new":
            os.rename(mnt / "new", mnt / "file")
    assert (mnt / "file").stat().st_ctime > A_TIME + 1000


def test_a_directorys_mtime_moves_with_its_names(mnt, record):
    (mnt / "dir").mkdir()
    (mnt / "other").mkdir()
    changes = [lambda: (mnt / "dir/file").write_bytes(b""), lambda: os.rename(mnt / "dir/file", mnt / "other/file"),
               lambda: os.rename(mnt / "other/file", mnt / "dir/file"), lambda: os.unlink(mnt / "dir/file"), lambda: (mnt / "dir/sub").mkdir(),
               lambda: (mnt / "dir/sub").rmdir(), lambda: os.symlink("x", mnt / "dir/link")]
    for change in changes:
        before = (mnt / "dir").stat()
        change()
        after = (mnt / "dir").stat()
        assert after.st_mtime_ns > before.st_mtime_ns and after.st_ctime_ns > before.st_ctime_ns
    moved = (mnt / "dir").stat().st_mtime_ns
    os.listdir(mnt / "dir")
    mnt.remount()
    assert (mnt / "dir").stat().st_mtime_ns == moved
    os.utime(mnt / "dir", (A_TIME, A_TIME))
    assert (mnt / "dir").stat().st_mtime == A_TIME
    mnt.remount(cold=True)
    assert (mnt / "dir").stat().st_mtime == A_TIME
