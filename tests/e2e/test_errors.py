"""What an administrator reads when it does not work: mount(8)'s exit codes, and one line that names the thing."""

import http.server
import os
import pathlib
import socket
import subprocess
import threading
from errno import EACCES, EIO, ENOSPC, EPERM

import pytest

from support import machine
from support.clients import Space
from support.devs3 import ACCESS, SECRET
from support.errnos import fails_with
from support.process import free_port
from support.run import run_prefixfs
from support.tls import TlsFront
from support.wait import Stopwatch, until

USAGE, SYSTEM, MOUNT_FAILURE = 1, 2, 32
KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


@pytest.fixture
def refused(tmp_path, devs3):
    """refused(statuses, *sayings, source=, keys=, **options): the mount fails, with one line that holds all the sayings."""
    machine.require_fuse()
    mountpoint = tmp_path / "mountpoint"
    mountpoint.mkdir()

    def refuse(statuses, *sayings, source="s3://e2e/errors", keys=KEYS, mountpoint=mountpoint, **options):
        words = {"endpoint": devs3.endpoint, "cache_dir": str(tmp_path / "cache"), "outage_timeout": "2s", **options}
        listed = ",".join(name if value is True else f"{name}={value}" for name, value in words.items())
        done = run_prefixfs(source, mountpoint, "-o", f"check,{listed}", environment=keys)
        if done.returncode == 0:
            subprocess.run(["umount", "-l", mountpoint], check=True)
        assert done.returncode in ([statuses] if isinstance(statuses, int) else statuses), done.stderr
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1, done.stderr
        for saying in sayings:
            assert saying in lines[0]
        assert SECRET not in done.stderr
        return lines[0]

    return refuse


def test_no_such_bucket(refused):
    refused(MOUNT_FAILURE, "no-such-bucket", "NoSuchBucket", source="s3://no-such-bucket/x")


def test_no_access(refused):
    refused(MOUNT_FAILURE, "e2e", "AccessDenied", keys=KEYS | {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nobodysecret"})


def test_a_wrong_key(refused):
    refused(MOUNT_FAILURE, "InvalidAccessKeyId", keys=KEYS | {"AWS_ACCESS_KEY_ID": "unknown"})


def test_a_wrong_secret(refused):
    line = refused(MOUNT_FAILURE, "SignatureDoesNotMatch", keys=KEYS | {"AWS_SECRET_ACCESS_KEY": "wrong-secret"})
    assert "wrong-secret" not in line


def test_no_credentials_at_all(refused):
    refused(MOUNT_FAILURE, "AWS_ACCESS_KEY_ID", keys={})


def test_a_profile_that_is_not_there(refused):
    refused(MOUNT_FAILURE, "no-such-profile", keys={}, profile="no-such-profile")


def test_an_unreachable_endpoint(refused):
    port = free_port()
    with Stopwatch() as watch:
        refused(MOUNT_FAILURE, f"127.0.0.1:{port}", "can this host reach it", endpoint=f"http://127.0.0.1:{port}")
    assert watch.seconds < 10


def test_an_endpoint_that_accepts_and_says_nothing(refused):
    with socket.create_server(("127.0.0.1", 0)) as silent, Stopwatch() as watch:
        port = silent.getsockname()[1]
        refused(MOUNT_FAILURE, f"127.0.0.1:{port}", endpoint=f"http://127.0.0.1:{port}")
    assert watch.seconds < 15


def test_an_endpoint_without_an_address(refused):
    refused(MOUNT_FAILURE, "nowhere.invalid", endpoint="http://nowhere.invalid")


def test_an_endpoint_that_is_no_s3(refused):
    """Answers everything with a page of its own."""
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<html><body>It works!</body></html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        refused(MOUNT_FAILURE, endpoint=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture
def tls(tmp_path, devs3):
    front = TlsFront(tmp_path / "tls", devs3.port)
    yield front
    front.stop()


def test_a_certificate_that_nobody_vouches_for(refused, tls):
    line = refused(MOUNT_FAILURE, f"127.0.0.1:{tls.port}", endpoint=tls.endpoint)
    assert "certificate" in line.lower()


def test_a_cache_directory_that_cannot_be_made(refused, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    refused((SYSTEM, MOUNT_FAILURE), str(tmp_path / "file"), cache_dir=str(tmp_path / "file" / "cache"))


def test_a_cache_directory_in_use(refused, mounts, devs3, space):
    first = mounts.start(space.source, devs3.endpoint)
    refused((SYSTEM, MOUNT_FAILURE), str(first.cache_dir), cache_dir=str(first.cache_dir))
    (first / "file").write_bytes(b"still works")


def test_a_mount_point_that_is_not_there(refused, tmp_path):
    refused(MOUNT_FAILURE, str(tmp_path / "missing"), mountpoint=tmp_path / "missing")


def test_a_mount_point_that_is_a_file(refused, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    refused(MOUNT_FAILURE, str(tmp_path / "file"), mountpoint=tmp_path / "file")


@pytest.mark.parametrize("options, sayings", [
    ({"alow_other": True}, ("alow_other", "allow_other")), ({"cache_size": "much"}, ("cache_size=much",)),
    ({"allow_root": True}, ("allow_root", "not built", "allow_other")), ({"umask": "999"}, ("umask=999",)), ({"part_size": "1M"}, ("part_size=1M",)),
    ({"region": "US-EAST-1"}, ("US-EAST-1",)),
], ids=["unknown", "no size", "not built", "no mask", "out of range", "no region"])
def test_a_bad_option(refused, options, sayings):
    refused(USAGE, *sayings, **options)


@pytest.mark.parametrize("variable, value", [("AWS_ENDPOINT_URL", "localhost:9000"), ("AWS_REGION", "US-EAST-1")])
def test_a_setting_that_can_never_work(tmp_path, variable, value):
    """Also without `check`: it would be mounted, and every call would fail."""
    machine.require_fuse()
    (tmp_path / "mountpoint").mkdir()
    done = run_prefixfs("s3://bucket", tmp_path / "mountpoint", "-o", f"cache_dir={tmp_path / 'cache'}", environment=KEYS | {variable: value})
    assert done.returncode == MOUNT_FAILURE and value in done.stderr and len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("source", ["bucket/prefix", "s3://UPPER", "s3://", "/dev/sda1"])
def test_a_bad_source(refused, source):
    refused(USAGE, source, source=source)


@pytest.mark.parametrize("arguments, saying", [([], "missing"), (["s3://bucket"], "mount point"), (["s3://bucket", "/a", "/b"], "/b"),
                                               (["s3://bucket", "/a", "-x"], "-x")], ids=["nothing", "no mount point", "too many", "-x"])
def test_a_bad_command_line(arguments, saying):
    done = run_prefixfs(*arguments)
    assert done.returncode == USAGE and saying in done.stderr and len(done.stderr.strip().splitlines()) == 1


SETTINGS = pathlib.Path("/etc/prefixfs/prefixfs.toml")


@pytest.fixture
def settings():
    """Writes the machine's settings file, and takes it away afterwards."""
    machine.require_root()
    if SETTINGS.exists():
        machine.skip(f"{SETTINGS} is in use")
    made = not SETTINGS.parent.exists()
    SETTINGS.parent.mkdir(exist_ok=True)
    yield SETTINGS.write_text
    SETTINGS.unlink(missing_ok=True)
    if made:
        SETTINGS.parent.rmdir()


def test_a_bad_line_of_the_settings_file(refused, settings):
    settings('region = "us-east-1"\n\ncache_sise = "1G"\n')
    refused(USAGE, str(SETTINGS), "line 3", "cache_sise")


def test_the_settings_file_counts(mounts, devs3, space, settings):
    settings(f'endpoint = "{devs3.endpoint}"\numask = "077"\n')
    mnt = mounts.start(space.source, None)
    space.put("file", b"x")
    assert until((mnt / "file").stat, 3, "the file is there").st_mode == 0o100600


# Errors that the mount gets over, or lives with.

def test_a_wrong_region_is_learnt(mounts, devs3):
    space = Space(devs3.client(region="eu-central-1"), "elsewhere", "region/")
    mnt = mounts.start(space.source, devs3.endpoint, region="us-east-1")
    (mnt / "file").write_bytes(b"x")
    assert space.get("file") == b"x"
    assert any("eu-central-1" in line for line in mnt.log().splitlines())


@pytest.mark.parametrize("offset", [-3600, 3600])
def test_a_clock_that_is_wrong_is_corrected(make_devs3, mounts, offset):
    server = make_devs3()
    server.clock(offset)
    mnt = mounts.start("s3://e2e/skew", server.endpoint)
    (mnt / "file").write_bytes(b"x")
    mnt.remount(cold=True)
    assert (mnt / "file").read_bytes() == b"x"


def test_https_with_a_certificate_of_ones_own(tmp_path, mounts, make_devs3):
    server = make_devs3(None, "--allow-unsigned-payload")
    front = TlsFront(tmp_path / "tls", server.port)
    mnt = mounts.start("s3://e2e/https", front.endpoint, environment={"AWS_CA_BUNDLE": str(front.certificate.path)})
    data = os.urandom(12 << 20)
    (mnt / "file").write_bytes(data)
    mnt.remount(cold=True)
    assert (mnt / "file").read_bytes() == data
    front.stop()


def test_a_full_disk_is_told_and_passes(mounts, devs3, space):
    machine.require_root()
    mnt = mounts.prepare(space.source, devs3.endpoint)
    mnt.cache_dir.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", mnt.cache_dir], check=True)
    try:
        mnt.start()
        (mnt / "fits").write_bytes(b"x" * 1000)
        with fails_with(ENOSPC):
            (mnt / "large").write_bytes(bytes(range(256)) * 4096 * 64)
        os.unlink(mnt / "large")
        (mnt / "after").write_bytes(b"y" * 1000)
        assert space.get("after") == b"y" * 1000 and (mnt / "fits").read_bytes() == b"x" * 1000
        mnt.stop()
    finally:
        subprocess.run(["umount", "-l", mnt.cache_dir], check=True)


def test_the_stage_limit_is_told(make_mount, space):
    mnt = make_mount(stage_size="16M", cache_size="16M")
    (mnt / "fits").write_bytes(bytes(8 << 20))
    with fails_with(ENOSPC):
        (mnt / "large").write_bytes(os.urandom(64 << 20))
    # The kernel tells of the last close a moment after it.
    until(lambda: (mnt / "after").write_bytes(b"y"), 5, "the space of the failed file is free again")
    assert space.get("after") == b"y"


def test_reading_during_an_outage_is_eio_after_outage_timeout(make_devs3, mounts):
    server = make_devs3()
    server.client().put_object(Bucket="e2e", Key="out/file", Body=b"x")
    mnt = mounts.start("s3://e2e/out", server.endpoint, outage_timeout="2s")
    server.stop()
    with Stopwatch() as watch, fails_with(EIO):
        (mnt / "file").read_bytes()
    assert watch.seconds < 8
    server.start()
    until(lambda: (mnt / "file").read_bytes() == b"x", 15, "S3 is found to answer again")


def test_a_log_line_of_a_failed_write_says_everything(devs3, mnt, space):
    with devs3.fault("PutObject", space.key("file"), "status", count=1000, status=403, code="AccessDenied"):
        with fails_with(EACCES):
            (mnt / "file").write_bytes(b"x")
    line = next(line for line in mnt.log().splitlines() if "AccessDenied" in line)
    for evidence in ("PutObject", "file", "403"):
        assert evidence in line


def test_no_secret_is_logged(make_mount):
    mnt = make_mount(log_level="debug")
    (mnt / "file").write_bytes(b"x")
    os.listdir(mnt.path)
    assert SECRET not in mnt.log() and "Signature=" not in mnt.log()


@pytest.mark.parametrize("code", ["NoSuchBucket", ""])
def test_a_bucket_that_is_not_there_is_no_empty_directory(make_devs3, mounts, code):
    """rsync --delete would empty the copy."""
    server = make_devs3()
    Space(server.client(), "e2e", "gone/").put("file", b"x")
    mnt = mounts.start("s3://e2e/gone", server.endpoint)
    server.faults({"operation": "ListObjectsV2", "action": "status", "count": 1000, "status": 404, "code": code})
    with fails_with(EIO):
        os.listdir(mnt.path)
    listed = subprocess.run(["ls", mnt.path], capture_output=True, text=True)
    assert listed.returncode != 0 and listed.stdout == ""
    server.faults()
    assert os.listdir(mnt.path) == ["file"]


def test_a_directory_of_somebody_elses_is_no_cache_directory(refused, tmp_path):
    theirs = tmp_path / "theirs"
    (theirs / "stage").mkdir(parents=True)
    (theirs / "stage" / "mywork").write_bytes(b"x")
    theirs.chmod(0o755)
    refused({SYSTEM, MOUNT_FAILURE}, str(theirs), "cache_dir", cache_dir=str(theirs))
    assert (theirs / "stage" / "mywork").read_bytes() == b"x" and theirs.stat().st_mode & 0o777 == 0o755


def test_a_cache_directory_below_the_mount_is_refused(refused, tmp_path):
    refused({SYSTEM, MOUNT_FAILURE}, "cache_dir", "below the mountpoint", cache_dir=str(tmp_path / "mountpoint" / "cache"))


def test_a_slip_in_the_endpoint_does_not_spoil_the_cache_directory(refused, devs3, mounts, tmp_path):
    refused(MOUNT_FAILURE, endpoint="http://127.0.0.1:1", cache_dir=str(tmp_path / "mine"))
    mnt = mounts.start("s3://e2e/slip", devs3.endpoint, cache_dir=str(tmp_path / "mine"))
    (mnt / "file").write_bytes(b"x")


def test_a_mount_through_a_symbolic_link_is_busy_too(refused, mnt, tmp_path):
    (mnt / "file").write_bytes(b"x")
    link = tmp_path / "link"
    link.symlink_to(mnt.path)
    refused({SYSTEM, MOUNT_FAILURE}, "busy", mountpoint=link)


def test_what_s3_does_not_have_is_not_permitted(mnt):
    (mnt / "file").write_bytes(b"x")
    with fails_with(EPERM):
        os.link(mnt / "file", mnt / "hard")
