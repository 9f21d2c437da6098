"""Objects that a lifecycle rule has moved to an archive: all but their bytes can be had."""

import os
import shutil
import subprocess
from errno import EOPNOTSUPP

import pytest

from support.errnos import fails_with


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
