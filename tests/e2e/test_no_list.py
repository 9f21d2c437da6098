"""The policy of the resume system: Put, Get and Delete on its own prefix, no s3:ListBucket, every upload encrypted. S3 then answers 403
for a name that is not there."""

import os
from errno import EACCES, ENOENT

import pytest

from support.clients import Space
from support.devs3 import Recording
from support.errnos import fails_with
from support.wait import until

BUCKET = "starscreen-resumes-prod"
KEYS = {"access": "resumes", "secret": "resumessecret"}
_counter = iter(range(1000))


@pytest.fixture
def resumes(devs3):
    """Seen with all rights."""
    return Space(devs3.client(), BUCKET, f"resumes/{next(_counter)}/")


@pytest.fixture
def mount_resumes(mounts, devs3, resumes):
    return lambda **options: mounts.start(resumes.source, devs3.endpoint, **KEYS, **options)


@pytest.fixture
def mnt(mount_resumes):
    return mount_resumes()


def test_the_policy_is_what_it_says(devs3, resumes):
    """The endpoint itself: a missing key is 403, a listing is 403, an upload without encryption is 403."""
    restricted = Space(devs3.client(**KEYS), BUCKET, resumes.prefix)
    for call in (lambda: restricted.head("missing"), lambda: restricted.names(), lambda: restricted.put("plain", b"x")):
        with pytest.raises(Exception, match="403|AccessDenied"):
            call()
    restricted.put("encrypted", b"x", ServerSideEncryption="AES256")
    assert restricted.get("encrypted") == b"x"


def test_create_read_and_delete(mnt, resumes):
    (mnt / "1_cv.pdf").write_bytes(b"resume")
    assert resumes.get("1_cv.pdf") == b"resume"
    assert resumes.head("1_cv.pdf")["ServerSideEncryption"] == "AES256"
    assert (mnt / "1_cv.pdf").read_bytes() == b"resume"
    os.remove(mnt / "1_cv.pdf")
    assert resumes.names() == []
    with fails_with(ENOENT):
        (mnt / "1_cv.pdf").read_bytes()


def test_exists(mnt, resumes):
    assert not os.path.exists(mnt / "missing.pdf")
    resumes.put("theirs.pdf", b"x", ServerSideEncryption="AES256")
    assert os.path.exists(mnt / "theirs.pdf")
    assert (mnt / "theirs.pdf").stat().st_size == 1


def test_a_worker_on_another_host_opens_the_file_at_once(mount_resumes):
    api, worker = mount_resumes(), mount_resumes()
    for number in range(20):
        (api / f"{number}.pdf").write_bytes(b"%d" % number)
        assert (worker / f"{number}.pdf").read_bytes() == b"%d" % number


def test_exclusive_create(mnt, resumes):
    resumes.put("taken.pdf", b"x", ServerSideEncryption="AES256")
    with pytest.raises(FileExistsError):
        open(mnt / "taken.pdf", "xb")
    with open(mnt / "free.pdf", "xb") as file:
        file.write(b"y")
    assert resumes.get("free.pdf") == b"y"


def test_large_uploads_copies_and_changes_carry_the_encryption_header(mnt, devs3, resumes):
    recording = Recording(devs3, resumes.prefix)
    (mnt / "large.zip").write_bytes(os.urandom(20 << 20))
    os.chmod(mnt / "large.zip", 0o600)
    os.rename(mnt / "large.zip", mnt / "moved.zip")
    assert resumes.head("moved.zip")["ServerSideEncryption"] == "AES256"
    writes = recording.requests().of("PutObject", "CreateMultipartUpload", "CopyObject")
    assert len(writes) >= 3
    assert all(request.header("x-amz-server-side-encryption") == "AES256" for request in writes)


def test_ls_is_denied_and_the_log_says_which_right_is_missing(mnt):
    with fails_with(EACCES):
        os.listdir(mnt.path)
    assert any("s3:ListBucket" in line for line in mnt.log().splitlines())


def test_the_missing_right_is_logged_once_and_not_for_every_name(mnt):
    for number in range(20):
        assert not os.path.exists(mnt / f"missing-{number}")
    assert sum("s3:ListBucket" in line for line in mnt.log().splitlines()) <= 2


def test_with_unlisted_known_ls_shows_what_this_host_knows(mount_resumes, resumes):
    resumes.put("unknown.pdf", b"x", ServerSideEncryption="AES256")
    resumes.put("opened.pdf", b"x", ServerSideEncryption="AES256")
    mnt = mount_resumes(unlisted="known")
    (mnt / "mine.pdf").write_bytes(b"y")
    assert (mnt / "opened.pdf").read_bytes() == b"x"
    assert sorted(os.listdir(mnt.path)) == ["mine.pdf", "opened.pdf"]
    os.remove(mnt / "mine.pdf")
    assert os.listdir(mnt.path) == ["opened.pdf"]
    mnt.remount()
    assert os.listdir(mnt.path) == ["opened.pdf"]


def test_directories_work_as_far_as_they_can_be_known(mnt, resumes):
    os.makedirs(mnt / "tenant" / "upload")
    (mnt / "tenant" / "upload" / "cv.pdf").write_bytes(b"x")
    assert resumes.get("tenant/upload/cv.pdf") == b"x"
    mnt.remount()
    assert (mnt / "tenant" / "upload" / "cv.pdf").read_bytes() == b"x"


def test_a_file_another_client_deletes_is_missing_within_the_window(mnt, resumes):
    (mnt / "file").write_bytes(b"x")
    resumes.delete("file")
    until(lambda: not os.path.exists(mnt / "file"), 2, "the deletion is seen")


def test_a_new_file_is_one_put(mnt, devs3, resumes):
    mnt.wait_connected()
    recording = Recording(devs3, resumes.prefix)
    for number in range(20):
        with open(mnt / f"{number}.pdf", "wb") as file:
            file.write(b"x")
    assert recording.counts() == {"PutObject": 20}


def test_a_new_file_that_must_not_be_there_costs_one_question(mnt, devs3, resumes):
    mnt.wait_connected()
    recording = Recording(devs3, resumes.prefix)
    with open(mnt / "new.pdf", "xb") as file:
        file.write(b"x")
    counts = recording.counts()
    assert counts.pop("PutObject") == 1
    assert sum(counts.values()) <= 1


def test_a_file_that_another_host_has_made_is_replaced_and_keeps_what_is_said_of_it(mnt, resumes):
    mnt.wait_connected()
    resumes.put("theirs.pdf", b"old", ServerSideEncryption="AES256", ContentType="application/x-own", Metadata={"tenant": "7"})
    with open(mnt / "theirs.pdf", "wb") as file:
        file.write(b"new")
    head = resumes.head("theirs.pdf")
    assert resumes.get("theirs.pdf") == b"new"
    assert head["ContentType"] == "application/x-own" and head["Metadata"]["tenant"] == "7"


def test_a_denied_read_is_not_taken_for_a_missing_file(mounts, devs3, space):
    """Keys with no right at all: EACCES, not an empty world."""
    space.put("file", b"x")
    mnt = mounts.start(space.source, devs3.endpoint, access="nobody", secret="nobodysecret")
    with fails_with(EACCES):
        (mnt / "file").read_bytes()


def test_a_reader_without_write_rights_reads_and_is_refused_the_rest(mounts, devs3, space):
    space.put("file", b"content")
    mnt = mounts.start(space.source, devs3.endpoint, access="reader", secret="readersecret")
    assert os.listdir(mnt.path) == ["file"] and (mnt / "file").read_bytes() == b"content"
    for call in (lambda: (mnt / "new").write_bytes(b"x"), lambda: os.mkdir(mnt / "dir"), lambda: os.remove(mnt / "file")):
        with pytest.raises(OSError):
            call()
    assert space.names() == ["file"] and space.get("file") == b"content"
