"""https, as real S3 has it: versitygw with a certificate of its own. Over https bodies are not hashed for the signature, and the
connection is checked against AWS_CA_BUNDLE."""

import os
import subprocess

import pytest

from support import machine, paths, servers
from support.clients import Space
from support.tls import Certificate


@pytest.fixture(scope="module")
def https(tmp_path_factory):
    certificate = Certificate(tmp_path_factory.mktemp("certificate"))
    try:
        server = servers.RealServer("versitygw", tmp_path_factory.mktemp("https"), certificate)
    except servers.Unavailable as reason:
        machine.skip(f"versitygw: {reason}")
    server.client().create_bucket(Bucket="e2e")
    yield server
    server.stop()


@pytest.fixture
def uploads(https, request):
    return Space(https.client(), "e2e", f"{request.node.name}/")


@pytest.fixture
def mnt(mounts, https, uploads):
    return mounts.start(uploads.source, https.endpoint, https.access, https.secret,
                        environment={"AWS_CA_BUNDLE": str(https.certificate.path)}).wait_connected()


@pytest.mark.parametrize("size", [0, 1, 500_000, 20 << 20])
def test_what_is_written_is_read_by_others_and_by_the_mount(mnt, uploads, size):
    data = os.urandom(size)
    (mnt / "cv.pdf").write_bytes(data)
    assert uploads.get("cv.pdf") == data
    assert uploads.uploads() == []
    mnt.remount(cold=True)
    assert (mnt / "cv.pdf").read_bytes() == data


def test_ls_rename_chmod_and_rm(mnt, uploads):
    for name in ("a", "b", "ü 1+1=2.pdf"):
        (mnt / name).write_bytes(name.encode())
    assert sorted(os.listdir(mnt.path)) == ["a", "b", "ü 1+1=2.pdf"]
    os.rename(mnt / "a", mnt / "c")
    os.chmod(mnt / "b", 0o600)
    os.remove(mnt / "ü 1+1=2.pdf")
    assert uploads.names() == ["b", "c"] and uploads.get("c") == b"a"
    mnt.remount(cold=True)
    assert (mnt / "b").stat().st_mode & 0o777 == 0o600


def test_a_small_change_of_a_large_file(mnt, uploads):
    data = bytearray(os.urandom(30 << 20))
    uploads.put("video.mp4", bytes(data))
    with open(mnt / "video.mp4", "r+b") as file:
        file.seek(12 << 20)
        file.write(b"changed")
    data[12 << 20:(12 << 20) + 7] = b"changed"
    assert uploads.get("video.mp4") == bytes(data)


@pytest.mark.parametrize("prefix", ["demo", "sp ace+%/ü"])
def test_the_demo_on_a_bucket_of_ones_own(https, prefix):
    """scripts/demo s3://bucket/prefix, with the caller's own credentials and endpoint."""
    machine.require_fuse()
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/root"), "AWS_ACCESS_KEY_ID": https.access,
                   "AWS_SECRET_ACCESS_KEY": https.secret, "AWS_REGION": https.region, "AWS_ENDPOINT_URL_S3": https.endpoint,
                   "AWS_CA_BUNDLE": str(https.certificate.path)}
    done = subprocess.run([paths.REPOSITORY / "scripts/demo", "--no-wait", f"s3://e2e/{prefix}"], env=environment, capture_output=True,
                          text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the object holds the same bytes" in done.stdout and "the object is gone" in done.stdout
    assert Space(https.client(), "e2e", f"{prefix}/").names() == []
