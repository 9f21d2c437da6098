"""Set-id bits: what is made gets them from its directory, and who writes or chowns clears them."""

import os
import subprocess

import pytest

from support import machine

NOBODY = 65534


def as_nobody(*command):
    return subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[])


@pytest.fixture
def public(public_mounts, server, space):
    machine.require_root()
    mnt = public_mounts.start(space.source, server.endpoint, server.access, server.secret, allow_other=True).wait_connected()
    mnt.directory.chmod(0o755)
    mnt.path.chmod(0o777)
    return mnt


def test_what_is_made_in_a_setgid_directory_gets_its_group(mnt):
    machine.require_root()
    (mnt / "shared").mkdir()
    os.chown(mnt / "shared", 0, 1234)
    os.chmod(mnt / "shared", 0o2775)
    (mnt / "shared" / "file").write_bytes(b"x")
    (mnt / "shared" / "dir").mkdir()
    os.symlink("x", mnt / "shared" / "link")
    os.mkfifo(mnt / "shared" / "fifo")
    mnt.remount(cold=True)
    assert {os.lstat(mnt / "shared" / name).st_gid for name in ("file", "dir", "link", "fifo")} == {1234}
    assert os.stat(mnt / "shared" / "dir").st_mode == 0o042755
    assert os.stat(mnt / "shared" / "file").st_mode == 0o100644
    (mnt / "plain").mkdir()
    assert os.stat(mnt / "plain").st_mode == 0o040755


@pytest.mark.parametrize("mode, after", [(0o4777, 0o777), (0o2777, 0o777), (0o6777, 0o777), (0o2767, 0o2767), (0o1777, 0o1777)], ids=oct)
@pytest.mark.parametrize("change", ["echo x >> {}", "echo x > {}", "truncate -s 3 {}"], ids=["append", "overwrite", "truncate"])
def test_an_ordinary_users_write_clears_set_id_bits(public, mode, after, change):
    file = public / "program"
    file.write_bytes(b"content")
    os.chmod(file, mode)
    assert as_nobody("sh", "-c", change.format(file)).returncode == 0
    assert file.stat().st_mode & 0o7777 == after
    public.remount(cold=True)
    assert file.stat().st_mode & 0o7777 == after


def test_roots_write_leaves_them(public):
    file = public / "program"
    file.write_bytes(b"content")
    os.chmod(file, 0o6755)
    with open(file, "ab") as opened:
        opened.write(b"x")
    assert file.stat().st_mode & 0o7777 == 0o6755


def test_chown_and_chmod_clear_what_they_must(public):
    file = public / "program"
    file.write_bytes(b"content")
    os.chown(file, NOBODY, NOBODY)
    os.chmod(file, 0o6755)
    assert file.stat().st_mode & 0o7777 == 0o6755
    assert as_nobody("chgrp", str(NOBODY), file).returncode == 0
    assert file.stat().st_mode & 0o7777 == 0o755
    os.chown(file, NOBODY, 0)  # nobody owns it, and is not in its group
    assert as_nobody("chmod", "2755", file).returncode == 0
    assert file.stat().st_mode & 0o7777 == 0o755
    (public / "dir").mkdir()
    os.chmod(public / "dir", 0o2775)
    os.chown(public / "dir", 12, 34)
    assert (public / "dir").stat().st_mode & 0o7777 == 0o2775
