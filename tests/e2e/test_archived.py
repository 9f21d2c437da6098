"""Objects that a lifecycle rule has moved to an archive: all but their bytes can be had."""

import os
import shutil
import subprocess
from errno import EOPNOTSUPP

import pytest

from support.admin import prefixfs
from support.clients import Space
from support.errnos import fails_with
from support.wait import until


@pytest.fixture(params=["GLACIER", "DEEP_ARCHIVE"])
def archived(mnt, space, request):
    """devs3 keeps archived objects as S3 does; versitygw gives their bytes."""
    space.put("dir/old.zip", b"x" * 1000, StorageClass=request.param)
    space.put("dir/new.zip", b"y")
    return mnt / "dir" / "old.zip"


def test_stat_and_ls_show_it(devs3, archived):
    assert archived.stat().st_size == 1000
    listed = subprocess.run(["ls", "-l", archived.parent], capture_output=True, text=True)
    assert listed.returncode == 0 and "old.zip" in listed.stdout and not listed.stderr


def test_only_opening_it_for_reading_fails(devs3, archived):
    with fails_with(EOPNOTSUPP):
        archived.read_bytes()
    assert archived.stat().st_size == 1000


def test_it_is_deleted(devs3, archived, space):
    os.remove(archived)
    assert not space.exists("dir/old.zip")


def test_it_is_deleted_with_its_directory(devs3, archived, space):
    shutil.rmtree(archived.parent)
    assert space.names() == []


def test_it_is_overwritten(devs3, archived, space):
    archived.write_bytes(b"now")
    assert archived.read_bytes() == b"now" and space.get("dir/old.zip") == b"now"


def test_it_is_replaced_by_rename(devs3, archived, space):
    os.rename(archived.parent / "new.zip", archived)
    assert space.get("dir/old.zip") == b"y"


def test_its_rename_is_refused(devs3, archived, space):
    with fails_with(EOPNOTSUPP):
        os.rename(archived, archived.parent / "moved.zip")
    assert space.exists("dir/old.zip")


def test_it_is_read_once_an_administrator_has_had_it_restored(devs3, archived, mnt, space):
    with fails_with(EOPNOTSUPP):
        archived.read_bytes()
    until(lambda: "prefixfs restore MOUNTPOINT PATH" in mnt.log(), 10, "the log names the command")
    said = prefixfs("restore", mnt.path, archived, "dir/new.zip")
    assert said.status == 0, said
    assert said.out.splitlines() == [f"{archived}: the restore is started", "dir/new.zip: is not archived, and can be read"]
    said = prefixfs("restore", mnt.path, "dir/old.zip")
    assert said.status == 0 and said.out == "dir/old.zip: the restore is in progress\n", said
    with fails_with(EOPNOTSUPP):
        archived.read_bytes()
    devs3.finish_restore(space.bucket, space.key("dir/old.zip"))
    assert archived.read_bytes() == b"x" * 1000
    said = prefixfs("restore", mnt.path, "dir/old.zip", "--days", "30", "--tier", "Bulk")
    assert said.status == 0 and said.out.startswith("dir/old.zip: is restored until 2"), said


def test_a_path_that_cannot_be_restored_is_told_and_the_others_are(devs3, archived, mnt, space):
    said = prefixfs("restore", mnt.path, "dir/none.zip", "dir", "dir/old.zip")
    assert said.status == 1, said
    assert said.out == "dir/old.zip: the restore is started\n"
    assert [line.split(":")[1].strip() for line in said.err.splitlines()] == ["dir/none.zip", "dir"]
    assert prefixfs("restore", mnt.path, "/etc/passwd").status == 1
    assert prefixfs("restore", mnt.path, "dir/old.zip", "--tier", "Fast").status != 0


def test_the_right_that_is_missing_is_named(devs3, mounts, space):
    space.put("old.zip", b"x", StorageClass="GLACIER")
    reader = mounts.start(space.source, devs3.endpoint, "reader", "readersecret").wait_connected()
    said = prefixfs("restore", reader.path, "old.zip")
    assert said.status == 1 and "s3:RestoreObject" in said.err, said


def test_an_s3_that_does_not_answer_is_told_apart(make_devs3, mounts):
    server = make_devs3()
    space = Space(server.client(), "e2e", "restore/")
    space.put("old.zip", b"x", StorageClass="GLACIER")
    mnt = mounts.start(space.source, server.endpoint, outage_timeout="1s").wait_connected()
    server.stop()
    said = prefixfs("restore", mnt.path, "old.zip")
    assert said.status == 2 and not said.out, said
