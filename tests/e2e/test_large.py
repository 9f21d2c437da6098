"""Files that are too large to be downloaded, or sent, as a whole."""

import os
from errno import EACCES

import pytest

from support.errnos import fails_with
from support.wait import until

MIB, GIB = 1 << 20, 1 << 30


def make_zeros(space, name, size, piece=64 * MIB):
    """An object of `size` zero bytes, put together on the server from one piece."""
    space.put("piece", bytes(piece))
    client, key = space.client, space.key(name)
    upload = client.create_multipart_upload(Bucket=space.bucket, Key=key)["UploadId"]
    parts = []
    for number in range(1, size // piece + 1):
        answer = client.upload_part_copy(Bucket=space.bucket, Key=key, UploadId=upload, PartNumber=number,
                                         CopySource={"Bucket": space.bucket, "Key": space.key("piece")})
        parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    client.complete_multipart_upload(Bucket=space.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    space.delete("piece")


def remote_bytes(space, name, offset, count):
    answer = space.client.get_object(Bucket=space.bucket, Key=space.key(name), Range=f"bytes={offset}-{offset + count - 1}")
    return answer["Body"].read()


@pytest.fixture
def ten_gib(space):
    make_zeros(space, "huge", 10 * GIB)
    return "huge"


def test_a_small_change_of_ten_gib_moves_few_bytes(mnt, space, record, ten_gib):
    os.listdir(mnt.path)
    recording = record()
    patch = os.urandom(4096)
    with open(mnt / ten_gib, "r+b", buffering=0) as file:
        file.seek(7 * GIB + 12_345)
        file.write(patch)
    requests = recording.requests()
    assert requests.of("GetObject").bytes_out() < 16 * MIB
    assert requests.bytes_in() < 32 * MIB
    assert len(requests) < 20
    assert space.head(ten_gib)["ContentLength"] == 10 * GIB
    assert remote_bytes(space, ten_gib, 7 * GIB + 12_345 - 10, 4116) == bytes(10) + patch + bytes(10)
    assert space.uploads() == []


def test_reading_the_middle_of_ten_gib_starts_there(mnt, record, ten_gib):
    recording = record()
    with open(mnt / ten_gib, "rb", buffering=0) as file:
        file.seek(9 * GIB)
        assert file.read(100_000) == bytes(100_000)
    until(lambda: recording.requests().of("GetObject"), 5, "the log has it")
    assert recording.requests().bytes_out() < 64 * MIB  # what was read, and one window ahead


def test_cutting_ten_gib_sends_nothing(mnt, space, record, ten_gib):
    recording = record()
    os.truncate(mnt / ten_gib, 5 * GIB + 1)
    requests = recording.requests()
    assert space.head(ten_gib)["ContentLength"] == 5 * GIB + 1
    assert requests.bytes_in() < 16 * MIB and requests.of("GetObject").bytes_out() < 16 * MIB


def test_a_new_sparse_file_of_more_than_one_put_can_hold(make_mount, space):
    """Five GiB is S3's limit of one PutObject."""
    mnt = make_mount(part_size="64M")
    size = 5 * GIB + 4096
    with open(mnt / "sparse", "wb", buffering=0) as file:
        os.ftruncate(file.fileno(), size)
        file.seek(size - 4)
        file.write(b"last")
    assert space.head("sparse")["ContentLength"] == size
    assert remote_bytes(space, "sparse", size - 10, 10) == bytes(6) + b"last"


def test_parts_are_sent_while_the_program_still_writes(mnt, space, record):
    recording = record()
    block = os.urandom(MIB)
    with open(mnt / "file", "wb", buffering=0) as file:
        for _ in range(40):
            file.write(block)
        until(lambda: len(recording.requests().of("UploadPart")) >= 2, 20, "parts are sent before close")
        assert not space.exists("file")
    assert space.get("file") == block * 40


def test_a_large_file_written_out_of_order_is_right(mnt, space):
    blocks = [os.urandom(MIB) for _ in range(24)]
    with open(mnt / "file", "wb", buffering=0) as file:
        for number in list(range(12, 24)) + list(range(12)):
            file.seek(number * MIB)
            file.write(blocks[number])
        file.seek(0)
        file.write(b"HEAD")
    blocks[0] = b"HEAD" + blocks[0][4:]
    assert space.get("file") == b"".join(blocks)


def test_a_part_that_was_sent_and_is_then_changed_is_sent_again(mnt, space, record):
    recording = record()
    data = bytearray(os.urandom(32 * MIB))
    with open(mnt / "file", "wb", buffering=0) as file:
        file.write(data)
        until(lambda: recording.requests().of("UploadPart"), 20, "a part is sent before close")
        file.seek(100)
        file.write(b"changed")
    data[100:107] = b"changed"
    assert space.get("file") == data


def test_cutting_a_file_whose_parts_were_sent(mnt, space, record):
    recording = record()
    data = os.urandom(32 * MIB)
    with open(mnt / "file", "wb", buffering=0) as file:
        file.write(data)
        until(lambda: recording.requests().of("UploadPart"), 20, "a part is sent before close")
        os.ftruncate(file.fileno(), 1000)
    assert space.get("file") == data[:1000] and space.uploads() == []


@pytest.mark.parametrize("operation", ["UploadPart", "CompleteMultipartUpload"])
def test_an_upload_that_fails_for_good_is_aborted(devs3, mnt, space, operation):
    with devs3.fault(operation, space.key("file"), "status", count=1000, status=403, code="AccessDenied"):
        descriptor = os.open(mnt / "file", os.O_CREAT | os.O_WRONLY)
        with fails_with(EACCES):
            try:
                block = bytes(MIB)
                for _ in range(20):
                    os.write(descriptor, block)
            finally:
                os.close(descriptor)
    assert not space.exists("file")
    until(lambda: space.uploads() == [], 10, "the upload is aborted")


def test_appending_to_a_large_file_many_times(mnt, space):
    data = os.urandom(12 * MIB)
    space.put("log", data)
    for number in range(5):
        with open(mnt / "log", "ab") as file:
            file.write(b"line %d\n" % number)
    assert space.get("log") == data + b"".join(b"line %d\n" % number for number in range(5))


def test_a_large_file_copied_through_the_mount_is_the_same(mnt, space):
    data = os.urandom(30 * MIB)
    space.put("from", data)
    with open(mnt / "from", "rb") as source, open(mnt / "to", "wb") as target:
        while block := source.read(MIB):
            target.write(block)
    assert space.get("to") == data
