"""Extended attributes: `user.*` are the object's user metadata, `user.s3.*` what S3 says of it."""

import os
import shutil
import subprocess
from errno import E2BIG, EEXIST, ENODATA, ENOSPC, EOPNOTSUPP, EPERM

import pytest

from support.wait import until

BINARY = bytes(range(256))


def refused(call, *words):
    with pytest.raises(OSError) as told:
        call(*words)
    return told.value.errno


def test_they_are_user_metadata(mnt, space):
    (mnt / "file").write_bytes(b"text")
    os.setxattr(mnt / "file", "user.author", b"Jo")
    assert space.head("file")["Metadata"]["author"] == "Jo"
    os.setxattr(mnt / "file", "user.Odd Name", BINARY)
    mnt.remount(cold=True)
    assert os.getxattr(mnt / "file", "user.author") == b"Jo"
    assert os.getxattr(mnt / "file", "user.Odd Name") == BINARY
    assert sorted(os.listxattr(mnt / "file")) == ["user.Odd Name", "user.author"]
    os.removexattr(mnt / "file", "user.author")
    mnt.remount(cold=True)
    assert refused(os.getxattr, mnt / "file", "user.author") == ENODATA
    assert (mnt / "file").read_bytes() == b"text"


def test_what_another_client_has_set_is_shown_and_kept(mnt, space):
    space.put("cv.pdf", b"text", Metadata={"title": "CV of Jo", "file-mtime": "1600000000s"}, ContentType="application/pdf")
    assert os.listxattr(mnt / "cv.pdf") == ["user.title"]
    assert os.getxattr(mnt / "cv.pdf", "user.title") == b"CV of Jo"
    (mnt / "cv.pdf").write_bytes(b"new text")
    os.chmod(mnt / "cv.pdf", 0o600)
    os.setxattr(mnt / "cv.pdf", "user.seen", b"yes")
    found = space.head("cv.pdf")
    assert (found["Metadata"]["title"], found["Metadata"]["seen"], found["ContentType"]) == ("CV of Jo", "yes", "application/pdf")


def test_what_s3_says_of_an_object(mnt, space):
    space.put("cv.pdf", b"text", ContentType="application/pdf")
    assert os.getxattr(mnt / "cv.pdf", "user.s3.content-type") == b"application/pdf"
    assert os.getxattr(mnt / "cv.pdf", "user.s3.etag").decode() == space.head("cv.pdf")["ETag"].strip('"')
    assert os.getxattr(mnt / "cv.pdf", "user.s3.storage-class") == b"STANDARD"
    assert refused(os.getxattr, mnt / "cv.pdf", "user.s3.nonsense") == ENODATA
    assert refused(os.setxattr, mnt / "cv.pdf", "user.s3.content-type", b"text/html") == EPERM
    assert refused(os.removexattr, mnt / "cv.pdf", "user.s3.etag") == EPERM
    assert os.listxattr(mnt / "cv.pdf") == [], "a copy must not take them along"


def test_more_than_s3_takes_is_refused_at_once_and_changes_nothing(mnt, space):
    (mnt / "file").write_bytes(b"text")
    os.setxattr(mnt / "file", "user.a", b"v" * 1024)
    assert refused(os.setxattr, mnt / "file", "user.b", b"v" * 1024) == ENOSPC
    assert refused(os.setxattr, mnt / "file", "user.b", b"v" * 65_537) == E2BIG
    assert os.listxattr(mnt / "file") == ["user.a"]
    assert len(space.head("file")["Metadata"]["a"]) == 1024


def test_acls_are_refused_so_that_cp_sets_the_mode(mnt, tmp_path):
    local = tmp_path / "file"
    local.write_bytes(b"text")
    local.chmod(0o640)
    subprocess.run(["cp", "-p", local, mnt / "file"], check=True)
    assert (mnt / "file").stat().st_mode == 0o100640
    assert refused(os.getxattr, mnt / "file", "system.posix_acl_access") == EOPNOTSUPP


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_they_are_acknowledged_as_a_change_of_mode_is(make_mount, space, commit):
    mnt = make_mount(commit=commit)
    (mnt.path / "file").write_bytes(b"text")
    os.mkdir(mnt.path / "dir")
    os.setxattr(mnt.path / "file", "user.a", b"1", os.XATTR_CREATE)
    os.setxattr(mnt.path / "dir", "user.a", b"1")
    assert refused(os.setxattr, mnt.path / "file", "user.a", b"2", os.XATTR_CREATE) == EEXIST
    with open(mnt.path / "file", "ab") as file:
        file.write(b" more")
        os.setxattr(file.fileno(), "user.b", b"2")
    os.rename(mnt.path / "file", mnt.path / "renamed")
    until(lambda: space.exists("renamed") and space.head("renamed")["Metadata"].get("b") == "2", 20, "the renamed file is in S3")
    until(lambda: space.exists("dir/") and space.head("dir/")["Metadata"].get("a") == "1", 20, "the marker is in S3")
    assert space.head("renamed")["Metadata"]["a"] == "1"
    mnt.remount(cold=True)
    assert sorted(os.listxattr(mnt.path / "renamed")) == ["user.a", "user.b"]
    assert os.getxattr(mnt.path / "dir", "user.a") == b"1"


def test_a_killed_worker_forgets_none(make_mount, space):
    mnt = make_mount()
    with open(mnt.path / "file", "wb") as file:
        file.write(b"text")
        os.setxattr(file.fileno(), "user.a", BINARY)
        mnt.kill_worker()
        assert os.getxattr(file.fileno(), "user.a") == BINARY
    mnt.remount(cold=True)
    assert os.getxattr(mnt.path / "file", "user.a") == BINARY


def test_copies_take_them_along(mnt, tmp_path):
    (mnt / "file").write_bytes(b"text")
    os.setxattr(mnt / "file", "user.author", b"Jo")
    for command, copy in ((["cp", "-a"], "copied"), (["cp", "--preserve=xattr"], "preserved"), (["rsync", "-aX"], "synced")):
        subprocess.run([*command, mnt / "file", mnt / copy], check=True)
        assert os.getxattr(mnt / copy, "user.author") == b"Jo", command
        subprocess.run([*command, mnt / "file", tmp_path / copy], check=True)
        assert os.getxattr(tmp_path / copy, "user.author") == b"Jo", command
    shutil.copy2(tmp_path / "copied", mnt / "back")
    assert os.getxattr(mnt / "back", "user.author") == b"Jo"


def test_with_s3fs_as_dialect_they_are_one_field(make_mount, space):
    mnt = make_mount(posix_metadata="s3fs")
    (mnt.path / "file").write_bytes(b"text")
    os.setxattr(mnt.path / "file", "user.test", b"test")
    assert space.head("file")["Metadata"]["xattr"] == "%7B%22user.test%22%3A%22dGVzdA%3D%3D%22%7D"


def test_without_metadata_there_are_none(make_mount):
    mnt = make_mount(posix_metadata="off")
    (mnt.path / "file").write_bytes(b"text")
    assert refused(os.setxattr, mnt.path / "file", "user.a", b"1") == EOPNOTSUPP
    assert os.listxattr(mnt.path / "file") == []


def test_nonsense_counts_as_none_and_harms_nothing(mnt, space):
    space.put("broken", b"text", Metadata={"xattr": "%7B%22user.a%22%3A", "title": "CV"})
    space.put("plain", b"text", Metadata={"xattr": "what is this?"})
    assert os.listxattr(mnt / "broken") == ["user.title"]
    assert os.listxattr(mnt / "plain") == []
    assert (mnt / "broken").read_bytes() == (mnt / "plain").read_bytes() == b"text"
    assert "make no sense: xattr" in mnt.log()
    os.setxattr(mnt / "broken", "user.A", b"1")
    assert sorted(os.listxattr(mnt / "broken")) == ["user.A", "user.title"]
