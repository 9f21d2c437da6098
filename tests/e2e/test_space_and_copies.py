"""Holes, space that is reserved, and copies of files within the mount."""

import os
import shutil
import subprocess
from errno import EFBIG, ENOSPC, ENXIO, EOPNOTSUPP

import pytest

from support import machine
from support.errnos import fails_with
from support.syscalls import fallocate
from support.wait import until

KIB, MIB = 1 << 10, 1 << 20
KEEP_SIZE, PUNCH_HOLE, COLLAPSE, ZERO_RANGE, INSERT = 1, 2, 8, 16, 32


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"


def test_the_fallocate_program_as_on_a_local_disk(folder, folder_space, tmp_path):
    machine.require_program("fallocate")
    for place in (folder, tmp_path):
        (place / "f").write_bytes(b"0123456789" * 2000)
        run("fallocate", "--offset", "19000", "--length", "11000", place / "f")
        run("fallocate", "--punch-hole", "--offset", "100", "--length", "5000", place / "f")
        run("fallocate", "--zero-range", "--offset", "29000", "--length", "3000", place / "f")
        run("fallocate", "--zero-range", "--keep-size", "--offset", "31990", "--length", "3000", place / "f")
        run("fallocate", "--keep-size", "--length", "100000", place / "f")
    expected = (tmp_path / "f").read_bytes()
    assert len(expected) == 32_000
    assert (folder / "f").read_bytes() == expected
    assert folder_space.get("f") == expected


def test_bytes_that_are_to_move_are_refused(folder):
    with open(folder / "f", "wb") as file:
        file.write(bytes(64 * KIB))
        file.flush()
        for mode in (COLLAPSE, INSERT):
            with fails_with(EOPNOTSUPP):
                fallocate(file.fileno(), mode, 0, 4096)


def test_what_there_is_no_room_for_is_told_at_once(make_mount, space):
    mnt = make_mount(stage_size="4M", cache_size="1M", max_file_size="64M")
    with open(mnt / "f", "wb") as file:
        file.write(b"kept")
        file.flush()
        with fails_with(EFBIG):
            os.posix_fallocate(file.fileno(), 0, 65 * MIB)
        with fails_with(ENOSPC):
            os.posix_fallocate(file.fileno(), 0, 32 * MIB)
        os.posix_fallocate(file.fileno(), 0, 1 * MIB)
    assert space.get("f") == b"kept" + bytes(MIB - 4)


def test_a_hole_in_a_large_file_moves_few_bytes(mnt, space, record):
    body = os.urandom(32 * MIB)
    space.put("large", body)
    os.listdir(mnt.path)
    recording = record()
    with open(mnt / "large", "r+b", buffering=0) as file:
        fallocate(file.fileno(), PUNCH_HOLE | KEEP_SIZE, 10 * MIB, 6 * MIB)
        assert os.pread(file.fileno(), 1000, 12 * MIB) == bytes(1000)
    with open(mnt / "large", "rb", buffering=0) as file:
        assert os.lseek(file.fileno(), 0, os.SEEK_HOLE) == 10 * MIB
        assert os.lseek(file.fileno(), 10 * MIB, os.SEEK_DATA) == 16 * MIB
    requests = recording.requests()
    assert requests.of("UploadPartCopy")
    assert requests.of("GetObject").bytes_out() <= 6 * MIB
    assert space.get("large") == body[:10 * MIB] + bytes(6 * MIB) + body[16 * MIB:]


def test_data_and_holes_are_told_apart(folder, folder_space):
    with open(folder / "sparse", "w+b", buffering=0) as file:
        file.seek(1 * MIB)
        file.write(b"x" * 64 * KIB)
        file.truncate(4 * MIB)
        assert os.lseek(file.fileno(), 0, os.SEEK_DATA) == 0  # as long as somebody might write to a mapping of it
        assert os.lseek(file.fileno(), 0, os.SEEK_HOLE) == 4 * MIB
    with open(folder / "sparse", "rb", buffering=0) as file:
        fd = file.fileno()
        assert os.lseek(fd, 0, os.SEEK_DATA) == 1 * MIB
        assert os.lseek(fd, 1 * MIB, os.SEEK_HOLE) == 1 * MIB + 64 * KIB
        with fails_with(ENXIO):
            os.lseek(fd, 2 * MIB, os.SEEK_DATA)
        with fails_with(ENXIO):
            os.lseek(fd, 4 * MIB, os.SEEK_HOLE)
        assert os.lseek(fd, 2 * MIB, os.SEEK_HOLE) == 2 * MIB
    assert folder_space.get("sparse") == bytes(MIB) + b"x" * 64 * KIB + bytes(3 * MIB - 64 * KIB)


def test_cp_of_sparse_files(folder, folder_space, tmp_path):
    with open(tmp_path / "sparse", "wb") as file:
        file.write(b"begin")
        file.seek(2 * MIB)
        file.write(b"end")
    expected = (tmp_path / "sparse").read_bytes()
    run("cp", "--sparse=always", tmp_path / "sparse", folder / "in")
    run("cp", "--sparse=always", folder / "in", folder / "again")
    run("cp", "--sparse=always", folder / "again", tmp_path / "out")
    assert folder_space.get("in") == folder_space.get("again") == (tmp_path / "out").read_bytes() == expected


# Most of a program's calls are in flight or over when the worker dies; each state must be gone on with.
@pytest.mark.parametrize("commit", ["close", "journal"])
def test_holes_outlive_the_worker(make_mount, space, commit):
    mnt = make_mount(commit=commit)
    body = os.urandom(3 * MIB)
    space.put("f", body)
    until(lambda: (mnt / "f").exists(), 5, "the file is seen")
    fd = os.open(mnt / "f", os.O_RDWR)
    fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 1 * MIB, 1 * MIB)
    mnt.kill_worker()
    assert os.pread(fd, 100, 1 * MIB + 50) == bytes(100)
    fallocate(fd, 0, 0, 4 * MIB)
    mnt.kill_worker()
    os.close(fd)
    expected = body[:MIB] + bytes(MIB) + body[2 * MIB:] + bytes(MIB)
    until(lambda: space.get("f") == expected, 20, "S3 has the holes")


# ---- copies ----


def bodies(requests):
    """Requests that move an object's bytes."""
    return [request for request in requests if request.operation in ("PutObject", "UploadPart") or
            (request.operation == "GetObject" and request.bytes_out > 0)]


def test_cp_within_the_mount_moves_no_bytes(mnt, space, record):
    body = os.urandom(3 * MIB)
    space.put("a.bin", body, Metadata={"file-permissions": "0640"})
    space.put("first", b"x")
    os.listdir(mnt.path)
    run("cp", mnt / "first", mnt / "second")  # now it is known that a copy of this endpoint can be exclusive
    recording = record()
    run("cp", mnt / "a.bin", mnt / "b.jpg")
    requests = recording.requests()
    source = [request for request in bodies(requests) if request.key.endswith("/a.bin")]
    assert sum(request.bytes_out for request in source) <= 128 * KIB, "the first block comes with open()"
    assert [request.operation for request in requests if request.key.endswith("/b.jpg")] == ["CopyObject"]
    assert space.get("b.jpg") == body
    assert space.head("b.jpg")["ContentType"] == "image/jpeg"
    assert (mnt / "b.jpg").read_bytes() == body


def test_cp_p_keeps_what_it_is_asked_to_keep(mnt, space):
    space.put("a", b"content", Metadata={"file-permissions": "0640", "file-mtime": "1600000000000000000ns"})
    run("cp", "-p", mnt / "a", mnt / "b")
    for name in ("a", "b"):
        there = (mnt / name).stat()
        assert there.st_mode & 0o777 == 0o640 and there.st_mtime_ns == 1_600_000_000 * 10**9
    mnt.remount(cold=True)
    assert (mnt / "b").stat().st_mtime_ns == 1_600_000_000 * 10**9
    assert space.get("b") == b"content"


def test_cp_over_a_file_and_of_files_that_are_being_written(folder, folder_space):
    (folder / "a").write_bytes(b"a" * 300_000)
    (folder / "b").write_bytes(b"b" * 10)
    run("cp", folder / "a", folder / "b")
    assert folder_space.get("b") == b"a" * 300_000
    with open(folder / "a", "r+b", buffering=0) as file:
        file.write(b"changed")
        shutil.copyfile(folder / "a", folder / "c")
        run("cp", folder / "a", folder / "d")
    expected = b"changed" + b"a" * 299_993
    assert folder_space.get("c") == folder_space.get("d") == folder_space.get("a") == expected


def copy_file_range(source, target, count):
    return os.copy_file_range(source, target, count, offset_src=0, offset_dst=0)


def test_a_program_copies_and_writes_on(folder, folder_space):
    body = os.urandom(500_000)
    (folder / "a").write_bytes(body)
    with open(folder / "a", "rb") as source, open(folder / "b", "w+b", buffering=0) as target:
        assert copy_file_range(source.fileno(), target.fileno(), len(body)) == len(body)
        target.seek(100)
        target.write(b"changed")
        target.seek(0)
        assert target.read(200) == body[:100] + b"changed" + body[107:200]
    assert folder_space.get("b") == body[:100] + b"changed" + body[107:]
    with open(folder / "a", "rb") as source, open(folder / "half", "wb") as target:
        assert copy_file_range(source.fileno(), target.fileno(), 250_000) == 250_000
    assert folder_space.get("half") == body[:250_000]


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_a_copy_outlives_the_worker(make_mount, space, commit):
    mnt = make_mount(commit=commit)
    body = os.urandom(300_000)
    space.put("a", body)
    until(lambda: (mnt / "a").exists(), 5, "the file is seen")
    source, target = os.open(mnt / "a", os.O_RDONLY), os.open(mnt / "b", os.O_CREAT | os.O_EXCL | os.O_RDWR)
    assert copy_file_range(source, target, len(body)) == len(body)
    mnt.kill_worker()
    assert os.pread(target, 100, 200_000) == body[200_000:200_100]
    os.pwrite(target, b"changed", 5)
    mnt.kill_worker()
    os.close(target)
    os.close(source)
    until(lambda: space.exists("b") and space.get("b") == body[:5] + b"changed" + body[12:], 20, "S3 has the copy")


def test_a_copy_that_s3_does_not_make_is_made_by_its_bytes(mnt, devs3, space):
    space.put("a", b"content")
    os.listdir(mnt.path)
    with devs3.fault("CopyObject", space.key("b"), "status", count=100, status=403, code="AccessDenied"):
        run("cp", mnt / "a", mnt / "b")
    assert space.get("b") == b"content"
