"""Mode, owner and times: kept in user metadata, in the words that AWS's own services share; everything else that other clients said of
an object survives what the mount does to it."""

import os
import shutil
import stat
import subprocess
import time

import pytest

from support import machine
from support.changes import change_bytes, change_mode
from support.wait import until

A_TIME = 1_600_000_000



def metadata(space, name):
    return space.head(name)["Metadata"]


def test_mode_and_mtime_survive_a_remount(mnt):
    (mnt / "file").write_bytes(b"x")
    os.chmod(mnt / "file", 0o640)
    os.utime(mnt / "file", ns=(A_TIME * 10**9, A_TIME * 10**9 + 123_456_789))
    mnt.remount(cold=True)
    after = (mnt / "file").stat()
    assert after.st_mode == 0o100640
    assert after.st_mtime_ns == A_TIME * 10**9 + 123_456_789


def test_the_mode_given_at_creation_survives_a_remount(mnt):
    os.close(os.open(mnt / "secret", os.O_CREAT | os.O_WRONLY, 0o600))
    os.mkdir(mnt / "private", 0o700)
    mnt.remount(cold=True)
    assert (mnt / "secret").stat().st_mode == 0o100600
    assert (mnt / "private").stat().st_mode == 0o040700


def test_owner_and_group_survive_a_remount(mnt):
    machine.require_root()
    (mnt / "file").write_bytes(b"x")
    os.chown(mnt / "file", 1234, 5678)
    mnt.remount(cold=True)
    after = (mnt / "file").stat()
    assert (after.st_uid, after.st_gid) == (1234, 5678)


def test_attributes_of_a_directory_survive_a_remount(mnt):
    (mnt / "dir").mkdir()
    os.chmod(mnt / "dir", 0o711)
    mnt.remount(cold=True)
    assert (mnt / "dir").stat().st_mode == 0o040711


def test_metadata_has_the_words_of_awss_services(mnt, space):
    (mnt / "file").write_bytes(b"x")
    os.chmod(mnt / "file", 0o640)
    os.utime(mnt / "file", (A_TIME, A_TIME))
    found = metadata(space, "file")
    assert int(found["file-permissions"], 8) & 0o7777 == 0o640
    assert found["file-mtime"].startswith(str(A_TIME))


def test_what_is_as_the_mounts_defaults_is_not_written(mnt, space):
    os.umask(0o022)
    (mnt / "file").write_bytes(b"x")
    assert "file-permissions" not in metadata(space, "file")


def test_mtime_is_when_it_was_written_and_stays(mnt):
    (mnt / "file").write_bytes(b"x")
    written = (mnt / "file").stat().st_mtime
    mnt.remount(cold=True)
    assert abs((mnt / "file").stat().st_mtime - written) <= 2  # S3's clock has whole seconds


def test_writing_again_moves_mtime(mnt):
    (mnt / "file").write_bytes(b"x")
    os.utime(mnt / "file", (A_TIME, A_TIME))
    (mnt / "file").write_bytes(b"xx")
    assert (mnt / "file").stat().st_mtime > A_TIME + 1000


def test_touch_d_and_cp_p(mnt, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"content")
    source.chmod(0o604)
    subprocess.run(["touch", "-d", "2001-02-03 04:05:06 UTC", source], check=True)
    subprocess.run(["cp", "-p", source, mnt / "copy"], check=True)
    subprocess.run(["touch", "-d", "2002-02-03 04:05:06 UTC", mnt / "touched"], check=True)
    mnt.remount(cold=True)
    assert (mnt / "copy").stat().st_mtime == source.stat().st_mtime
    assert (mnt / "copy").stat().st_mode == 0o100604
    assert (mnt / "touched").stat().st_mtime == source.stat().st_mtime + 365 * 86400
    shutil.copystat(source, mnt / "touched")
    assert (mnt / "touched").stat().st_mtime == source.stat().st_mtime


@pytest.mark.parametrize("said, expected", [
    ({"mode": "33184", "uid": "12", "gid": "34", "mtime": "1595002920"}, (0o100640, 12, 34, 1595002920)),
    ({"mode": "33152", "uid": "0", "gid": "0", "mtime": "1595002920.5"}, (0o100600, 0, 0, 1595002920.5)),
    ({"mode": "100640", "uid": "12", "gid": "34", "mtime": "1595002920.250000000"}, (0o100640, 12, 34, 1595002920.25)),
    ({"file-permissions": "0100640", "file-owner": "12", "file-group": "34", "file-mtime": "1595002920000000000ns"},
     (0o100640, 12, 34, 1595002920)),
    ({"file-permissions": "0640", "file-owner": "12", "file-group": "34", "file-mtime": "1595002920000ms"}, (0o100640, 12, 34, 1595002920)),
], ids=["s3fs", "s3fs-fraction", "rclone", "aws-ns", "aws-ms"])
def test_other_mounts_metadata_is_read(mnt, space, said, expected):
    space.put("file", b"x", Metadata=said)
    found = (mnt / "file").stat()
    assert (found.st_mode, found.st_uid, found.st_gid, found.st_mtime) == expected


@pytest.mark.parametrize("nonsense", [{"mode": "x", "uid": "-5", "gid": "99999999999999", "mtime": "soon"}, {"file-permissions": "9999"},
                                      {"file-mtime": "nan"}, {"mode": "16877"}], ids=str)
def test_nonsense_in_metadata_does_no_harm(mnt, space, nonsense):
    space.put("file", b"content", Metadata=nonsense)
    assert (mnt / "file").read_bytes() == b"content"
    assert (mnt / "file").is_file()


@pytest.mark.parametrize("nonsense", [
    {"file-permissions": "99999"}, {"mode": "99999"}, {"mode": "0"}, {"file-permissions": "0040755"}, {"file-permissions": "-1"},
    {"file-owner": "4294967295"}, {"file-owner": "-1", "file-group": "99999999999"}, {"file-mtime": "-9223372036854775808"},
    {"file-mtime": "9223372036854775807s"}, {"file-atime": "x"}, {"file-permissions": "0010644"}, {"--symlink-target": ""}], ids=str)
def test_nonsense_in_metadata_leaves_a_file(mnt, space, nonsense):
    space.put("file", b"content", Metadata=nonsense)
    found = os.lstat(mnt / "file")
    assert stat.S_ISREG(found.st_mode) and 0 <= found.st_uid < 2**32 - 1
    assert (mnt / "file").read_bytes() == b"content"
    os.chmod(mnt / "file", 0o600)
    mnt.remount(cold=True)
    assert (mnt / "file").stat().st_mode == 0o100600


def test_the_s3fs_dialect_is_written_when_asked_for(make_mount, space):
    mnt = make_mount(posix_metadata="s3fs")
    (mnt / "file").write_bytes(b"x")
    os.chmod(mnt / "file", 0o640)
    assert metadata(space, "file")["mode"] == str(0o100640)


def test_no_metadata_is_written_when_it_is_off(make_mount, space):
    mnt = make_mount(posix_metadata="off")
    os.close(os.open(mnt / "file", os.O_CREAT | os.O_WRONLY, 0o600))
    assert metadata(space, "file") == {}


def test_defaults_come_from_uid_gid_and_umask(make_mount, space):
    space.put("file", b"x")
    space.put("dir/inner", b"x")
    mnt = make_mount(uid="12", gid="34", umask="027")
    found = until((mnt / "file").stat, 3, "the file is there")
    assert (found.st_mode, found.st_uid, found.st_gid) == (0o100640, 12, 34)
    found = (mnt / "dir").stat()
    assert (found.st_mode, found.st_uid, found.st_gid) == (0o040750, 12, 34)


OTHERS = {"ContentType": "image/png", "CacheControl": "max-age=60", "ContentDisposition": "inline", "ContentEncoding": "identity",
          "ContentLanguage": "de"}


def change_time(path):
    os.utime(path, (A_TIME, A_TIME))
    return path


def change_name(path):
    os.rename(path, path.with_name("renamed"))
    return path.with_name("renamed")


@pytest.mark.parametrize("change", [change_bytes, change_mode, change_time, change_name])
def test_what_other_clients_said_of_an_object_survives(mnt, space, change):
    said = {"tenant_id": "t-1", "original_filename": "cv.pdf"}
    space.put("file", b"content", Metadata=said, **OTHERS)
    path = change(mnt / "file")
    head = space.head(path.name)
    assert {name: head[name] for name in OTHERS} == OTHERS
    assert said.items() <= head["Metadata"].items()


def test_tags_survive_a_rename(mnt, space):
    space.put("file", b"content", Tagging="team=hr")
    change_name(mnt / "file")
    tags = space.client.get_object_tagging(Bucket=space.bucket, Key=space.key("renamed"))["TagSet"]
    assert tags == [{"Key": "team", "Value": "hr"}]


def test_chmod_of_a_file_that_another_client_changes_meanwhile_loses_nothing(mnt, space):
    space.put("file", b"one")
    assert (mnt / "file").read_bytes() == b"one"
    space.put("file", b"the other version")
    os.chmod(mnt / "file", 0o600)
    assert space.get("file") == b"the other version"


def test_modes_are_enforced_for_other_users(public_mounts, server, space):
    machine.require_root()
    machine.require_program("setpriv")
    mnt = public_mounts.start(space.source, server.endpoint, server.access, server.secret, allow_other=True)
    os.close(os.open(mnt / "secret", os.O_CREAT | os.O_WRONLY, 0o600))
    (mnt / "open").write_bytes(b"x")
    def as_nobody(*command):
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command], capture_output=True).returncode

    assert as_nobody("cat", mnt / "open") == 0
    assert as_nobody("cat", mnt / "secret") != 0
    assert as_nobody("touch", mnt / "new") != 0
    assert space.names() == ["open", "secret"]


def test_a_chmod_by_another_host_is_seen_though_the_bytes_stay(devs3, make_mount):
    """An object copied onto itself keeps its ETag, so that only its time tells. (versitygw does not tell it with a 304.)"""
    here, there = make_mount(), make_mount()
    (here / "file").write_bytes(b"x")
    assert (there / "file").stat().st_mode & 0o777 == 0o644
    assert (there / "file").read_bytes() == b"x"
    time.sleep(1.1)  # S3 tells the time in whole seconds, and the two must differ
    os.chmod(here / "file", 0o600)
    until(lambda: (there / "file").stat().st_mode & 0o777 == 0o600, 3, "the other host sees the mode")


def test_tags_survive_a_rewrite_a_chmod_and_a_rename(mnt, space):
    def tags(name):
        answer = space.client.get_object_tagging(Bucket=space.bucket, Key=space.key(name))
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    expected = {"project": "a/b c", "retention": "90 days"}
    space.put("file", b"old", Tagging="project=a%2Fb%20c&retention=90%20days")
    (mnt / "file").write_bytes(b"new")
    assert space.get("file") == b"new" and tags("file") == expected
    (mnt / "file").write_bytes(bytes(20 << 20))
    assert tags("file") == expected
    os.chmod(mnt / "file", 0o600)
    assert tags("file") == expected
    os.rename(mnt / "file", mnt / "renamed")
    assert tags("renamed") == expected


def test_storage_class_and_kms_key_survive_a_rewrite_a_chmod_and_a_rename(devs3, mnt, space):
    kept = {"StorageClass": "INTELLIGENT_TIERING", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:1:key/k"}

    def is_kept(name):
        head = space.head(name)
        return {word: head.get(word) for word in kept} == kept

    space.put("file", b"old", **kept)
    (mnt / "file").write_bytes(b"new")
    assert is_kept("file")
    (mnt / "file").write_bytes(bytes(20 << 20))
    assert is_kept("file")
    os.chmod(mnt / "file", 0o600)
    assert is_kept("file")
    os.rename(mnt / "file", mnt / "renamed")
    assert is_kept("renamed")


def test_what_the_options_say_comes_before_what_the_object_had(devs3, make_mount, space):
    space.put("file", b"old", StorageClass="STANDARD_IA", ServerSideEncryption="aws:kms")
    mnt = make_mount(sse="AES256", storage_class="ONEZONE_IA")
    (mnt / "file").write_bytes(b"new")
    head = space.head("file")
    assert head["StorageClass"] == "ONEZONE_IA" and head["ServerSideEncryption"] == "AES256"


def test_who_has_opened_what_was_only_listed_gets_its_own_times(mnt, space):
    """As cp -a and tar do. The kernel has kept, from readdir, when the object was written."""
    space.put("dir/file", b"x", Metadata={"file-mtime": f"{A_TIME}s"})
    with os.scandir(mnt / "dir") as entries:
        assert next(entries).stat().st_mtime > A_TIME
    with open(mnt / "dir/file") as file:
        assert os.stat(file.fileno()).st_mtime == A_TIME
    assert (mnt / "dir/file").stat().st_mtime == A_TIME


MADE = {"directory": os.mkdir, "link": lambda path: os.symlink("target", path), "fifo": os.mkfifo}


@pytest.mark.parametrize("kind", MADE)
def test_something_is_made_in_a_directory_that_was_only_listed(mnt, space, kind):
    """A listing does not tell its mode, and the kernel comes again after ESTALE with fewer calls than one would think."""
    space.put("dir/", b"", Metadata={"file-permissions": "0040700"})
    space.put("dir/file", b"x")
    os.listdir(mnt.path)
    MADE[kind](mnt / "dir/new")
    assert (mnt / "dir").stat().st_mode == 0o040700


def test_permissions_hold_on_what_was_only_listed(public_mounts, server, space):
    """A listing shows default modes; the object's own must hold all the same."""
    machine.require_root()
    space.put("dir/secret", b"private", Metadata={"file-permissions": "0100600", "file-owner": "0", "file-group": "0"})
    mnt = public_mounts.start(space.source, server.endpoint, server.access, server.secret, allow_other=True)
    for command in (f"ls -l {mnt / 'dir'} >/dev/null; cat {mnt / 'dir/secret'}", f"ls -l {mnt / 'dir'} >/dev/null; echo x >> {mnt / 'dir/secret'}"):
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", command], capture_output=True, text=True)
        assert done.returncode != 0 and done.stdout == "" and "ermission denied" in done.stderr
    assert (mnt / "dir" / "secret").read_bytes() == b"private"


def test_a_tree_is_copied_onto_the_root_with_its_attributes(mnt, tmp_path):
    source = tmp_path / "source"
    (source / "dir").mkdir(parents=True)
    (source / "dir" / "file").write_bytes(b"x")
    source.chmod(0o750)
    subprocess.run(["cp", "-a", f"{source}/.", mnt.path], check=True)
    assert mnt.path.stat().st_mode & 0o777 == 0o750
    archive = tmp_path / "archive.tar"
    subprocess.run(["tar", "-C", source, "-cf", archive, "."], check=True)
    subprocess.run(["tar", "-C", mnt.path, "-xf", archive], check=True)
    subprocess.run(["rsync", "-a", f"{source}/", f"{mnt.path}/"], check=True)


def test_a_directory_without_a_time_of_its_own_is_not_from_1970(mnt, space):
    space.put("implied/file", b"x")
    assert time.time() - (mnt / "implied").stat().st_mtime < 1000
