"""When close() or fsync() returns 0, the object is in S3; when it cannot be, they say so, and the bytes are kept."""

import os
import subprocess
import threading
from errno import EACCES, EIO, ESTALE

import pytest

from support.clients import Space
from support.errnos import fails_with
from support.wait import Stopwatch, until

SIZES = {"small": 5000, "several parts": 20 << 20}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_after_close_the_object_is_there(mnt, space, size):
    data = os.urandom(size)
    (mnt / "file.pdf").write_bytes(data)
    assert space.get("file.pdf") == data
    assert space.uploads() == []


def test_after_fsync_the_object_is_there_and_after_the_next_one_what_was_added(mnt, space):
    with open(mnt / "file", "wb", buffering=0) as file:
        file.write(b"one")
        os.fsync(file.fileno())
        assert space.get("file") == b"one"
        file.write(b" two")
        os.fsync(file.fileno())
        assert space.get("file") == b"one two"
        file.write(b" three")
    assert space.get("file") == b"one two three"


def test_before_close_nobody_sees_half_a_file(mnt, space):
    space.put("file", b"the version before")
    with open(mnt / "file", "wb", buffering=0) as file:
        file.write(b"x" * 100_000)
        assert space.get("file") == b"the version before"
    with open(mnt / "new", "wb", buffering=0) as file:
        file.write(b"x" * 100_000)
        assert not space.exists("new")
    assert space.exists("new")


def test_each_descriptor_that_is_closed_stores_what_was_written(mnt, space):
    descriptor = os.open(mnt / "file", os.O_CREAT | os.O_WRONLY)
    other = os.dup(descriptor)
    os.write(descriptor, b"one")
    os.close(descriptor)
    assert space.get("file") == b"one"
    os.write(other, b"two")
    os.close(other)
    assert space.get("file") == b"onetwo"


def test_an_empty_file_is_an_empty_object(mnt, space):
    (mnt / "empty").write_bytes(b"")
    assert space.get("empty") == b""


def test_overwriting_in_the_middle_appending_and_cutting_store_the_whole(mnt, space):
    data = bytearray(os.urandom(300_000))
    space.put("file", bytes(data))
    with open(mnt / "file", "r+b") as file:
        file.seek(123_456)
        file.write(b"patch")
    data[123_456:123_461] = b"patch"
    assert space.get("file") == data
    with open(mnt / "file", "ab") as file:
        file.write(b"tail")
    assert space.get("file") == data + b"tail"
    os.truncate(mnt / "file", 1000)
    assert space.get("file") == data[:1000]


def test_the_object_is_what_a_browser_expects(devs3, mnt, space):  # versitygw drops the encryption header
    kinds = {"photo.JPG": "image/jpeg", "clip.mp4": "video/mp4", "cv.pdf": "application/pdf", "x.unknown": "application/octet-stream"}
    for name, kind in kinds.items():
        (mnt / name).write_bytes(b"data")
        head = space.head(name)
        assert head["ContentType"] == kind
        assert head["ServerSideEncryption"] == "AES256"


# What the mount has to get over by itself while it writes, and how often S3 fails before it works.
PASSING_FAULTS = [("status", {"status": 500, "code": "InternalError"}, 2), ("status", {"status": 503, "code": "SlowDown"}, 2),
                  ("reset", {}, 1), ("lost_answer", {}, 1), ("latency", {"ms": 700}, 1)]


@pytest.mark.parametrize("action, more, count", PASSING_FAULTS, ids=lambda value: value if isinstance(value, str) else None)
def test_a_fault_that_passes_is_not_seen(devs3, mnt, space, action, more, count):
    data = os.urandom(100_000)
    with devs3.fault("PutObject", space.key("file"), action, count=count, **more):
        (mnt / "file").write_bytes(data)
    assert space.get("file") == data


@pytest.mark.parametrize("action, more", [("status", {"status": 503, "code": "SlowDown"}), ("reset", {}), ("lost_answer", {})],
                         ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
def test_a_fault_that_passes_within_a_large_upload_is_not_seen(devs3, mnt, space, operation, action, more):
    data = os.urandom(18 << 20)
    with devs3.fault(operation, space.key("file"), action, count=1, **more):
        (mnt / "file").write_bytes(data)
    assert space.get("file") == data


def test_an_error_inside_an_answer_200_is_an_error_and_tried_again(devs3, mnt, space):
    data = os.urandom(18 << 20)
    with devs3.fault("CompleteMultipartUpload", space.key("file"), "error_in_200", count=1, code="InternalError"):
        (mnt / "file").write_bytes(data)
    assert space.get("file") == data


def write_and_close(path, data, flags=os.O_CREAT | os.O_TRUNC | os.O_WRONLY):
    """The error of close() alone."""
    descriptor = os.open(path, flags)
    try:
        os.write(descriptor, data)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)


def test_a_refused_upload_is_told_by_close_and_the_bytes_are_kept(devs3, mnt, space):
    data = os.urandom(50_000)
    with devs3.fault("PutObject", space.key("file"), "status", count=1000, status=403, code="AccessDenied"):
        with fails_with(EACCES):
            write_and_close(mnt / "file", data)
    assert not space.exists("file")
    assert data in mnt.kept_files()
    line = next(line for line in mnt.log().splitlines() if "AccessDenied" in line)
    assert "PutObject" in line and "file" in line


def test_a_refused_upload_is_told_by_fsync_and_by_close_too(devs3, mnt, space):
    descriptor = os.open(mnt / "file", os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, b"content")
    with devs3.fault("PutObject", space.key("file"), "status", count=1000, status=403, code="AccessDenied"):
        with fails_with(EACCES):
            os.fsync(descriptor)
        with fails_with(EACCES):
            os.close(descriptor)
    assert not space.exists("file")


def test_a_refused_large_upload_leaves_no_upload_open(devs3, mnt, space):
    data = os.urandom(20 << 20)
    with devs3.fault("UploadPart", space.key("file"), "status", count=1000, status=403, code="AccessDenied"):
        with fails_with(EACCES):
            write_and_close(mnt / "file", data)
    assert not space.exists("file") and space.uploads() == []


def test_an_outage_is_tried_for_outage_timeout_then_told(make_devs3, mounts):
    server = make_devs3()
    space = Space(server.client(), "e2e", "outage/")
    mnt = mounts.start(space.source, server.endpoint, outage_timeout="2s", outage="error")
    (mnt / "before").write_bytes(b"x")
    data = os.urandom(10_000)
    server.stop()
    with Stopwatch() as watch, fails_with(EIO):
        write_and_close(mnt / "file", data)
    assert 1.5 < watch.seconds < 6
    until(lambda: data in mnt.kept_files(), 3, "the bytes are kept")  # close() does not wait for the release
    server.start()
    until(lambda: (mnt / "after").write_bytes(b"works again"), 15, "S3 is found to answer again")
    assert space.get("after") == b"works again"


def test_an_outage_that_ends_in_time_is_not_seen(make_devs3, mounts):
    server = make_devs3()
    space = Space(server.client(), "e2e", "short/")
    mnt = mounts.start(space.source, server.endpoint, outage_timeout="30s")
    os.listdir(mnt.path)
    server.stop()
    back = threading.Timer(1.0, server.start)
    back.start()
    (mnt / "file").write_bytes(b"content")
    back.join()
    assert space.get("file") == b"content"


def test_exclusive_create_does_not_overwrite_what_another_client_made_meanwhile(mnt, space):
    descriptor = os.open(mnt / "file", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(descriptor, b"mine")
    space.put("file", b"theirs")
    with fails_with(ESTALE):
        os.close(descriptor)
    assert space.get("file") == b"theirs"
    assert b"mine" in mnt.kept_files()


def test_a_change_does_not_overwrite_what_another_client_changed_meanwhile(mnt, space):
    space.put("file", b"one two three")
    descriptor = os.open(mnt / "file", os.O_RDWR)
    os.pwrite(descriptor, b"TWO", 4)
    space.put("file", b"another text")
    with fails_with(ESTALE):
        os.close(descriptor)
    assert space.get("file") == b"another text"
    assert b"one TWO three" in mnt.kept_files()


def test_a_change_does_not_bring_back_what_another_client_deleted_meanwhile(mnt, space):
    space.put("file", b"one two three")
    descriptor = os.open(mnt / "file", os.O_RDWR)
    os.pwrite(descriptor, b"TWO", 4)
    space.delete("file")
    with fails_with(ESTALE):
        os.close(descriptor)
    assert not space.exists("file")


def test_overwriting_the_whole_file_is_last_writer_wins(mnt, space):
    space.put("file", b"one")
    descriptor = os.open(mnt / "file", os.O_WRONLY | os.O_TRUNC)
    os.write(descriptor, b"mine")
    space.put("file", b"theirs")
    os.close(descriptor)
    assert space.get("file") == b"mine"


def test_the_mount_goes_on_after_a_failed_close(devs3, mnt, space):
    with devs3.fault("PutObject", space.key("bad"), "status", count=1000, status=403, code="AccessDenied"):
        with fails_with(EACCES):
            write_and_close(mnt / "bad", b"x")
    (mnt / "good").write_bytes(b"y")
    assert space.get("good") == b"y"
    (mnt / "bad").write_bytes(b"now")
    assert space.get("bad") == b"now"


@pytest.mark.parametrize("server_name", ["versitygw", "moto"])
def test_on_real_servers(request, mounts, server_name):
    """The same main job on S3 servers that others wrote."""
    server = request.getfixturevalue(server_name)
    space = Space(server.client(), "e2e", "real/")
    mnt = mounts.start(space.source, server.endpoint, server.access, server.secret)
    large = os.urandom(18 << 20)
    (mnt / "dir").mkdir()
    (mnt / "dir" / "small").write_bytes(b"small")
    (mnt / "dir" / "large").write_bytes(large)
    assert space.get("dir/small") == b"small" and space.get("dir/large") == large
    with open(mnt / "dir" / "large", "r+b") as file:
        file.seek(9 << 20)
        file.write(b"patch")
    assert space.get("dir/large")[9 << 20:][:5] == b"patch"
    space.put("theirs", b"their bytes")
    until(lambda: sorted(os.listdir(mnt.path)) == ["dir", "theirs"], 3, "the other client's object is listed")
    assert (mnt / "theirs").read_bytes() == b"their bytes"
    os.rename(mnt / "dir" / "small", mnt / "moved")
    assert space.get("moved") == b"small" and not space.exists("dir/small")
    for name in ("moved", "theirs", "dir/large"):
        os.unlink(mnt / name)
    os.rmdir(mnt / "dir")
    assert os.listdir(mnt.path) == [] and space.uploads() == []


def test_a_fork_does_not_publish_half_a_file(mnt, space):
    """Every child closes its copies of its parent's descriptors."""
    with open(mnt / "resume.pdf", "wb", buffering=0) as file:
        file.write(b"first half, ")
        subprocess.run(["true"], check=True)
        subprocess.run(["true"], check=True, close_fds=False)
        assert not space.exists("resume.pdf")
        file.write(b"second half")
    assert space.get("resume.pdf") == b"first half, second half"

