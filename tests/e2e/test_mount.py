"""Mounting, unmounting, and what happens to a mount in its life."""

import os
import pathlib
import signal
import stat
import subprocess
import sys
import threading
from errno import EIO, EROFS, ETIMEDOUT

import pytest

from support import machine, mount, paths
from support.clients import Space
from support.devs3 import ACCESS, SECRET, Devs3
from support.errnos import fails_with
from support.process import free_port
from support.run import daemons_of, run_prefixfs, wait_for_end
from support.wait import Stopwatch, until

KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


@pytest.fixture
def mountpoint(tmp_path):
    """A directory that is unmounted afterwards, whoever mounted it; no daemon is left."""
    machine.require_fuse()
    path = tmp_path / "mountpoint"
    path.mkdir()
    yield path
    if mount.mounted_at(path):
        mount.unmount(path) or mount.unmount(path, lazy=True)
    try:
        wait_for_end(path)
    finally:
        for pid in daemons_of(path):
            os.kill(pid, signal.SIGKILL)


def mount_line(path):
    """Type, source and options of a mount, as the kernel tells them."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        if left.split()[4] == str(path):
            kind, source, more = right.split()
            return kind, source, set(left.split()[5].split(",")) | set(more.split(","))
    return None


def test_the_command_returns_once_the_mount_answers(devs3, space, mountpoint, tmp_path):
    space.put("file", b"content")
    done = run_prefixfs(space.source, mountpoint, "-o", f"check,endpoint={devs3.endpoint},cache_dir={tmp_path}/cache", environment=KEYS)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and done.stderr == ""
    assert (mountpoint / "file").read_bytes() == b"content"  # at once: nothing to wait for
    (mountpoint / "new").write_bytes(b"x")
    assert mount.unmount(mountpoint)
    wait_for_end(mountpoint)
    assert space.get("new") == b"x"


def test_the_daemon_in_the_background_holds_nothing_of_its_caller(devs3, space, mountpoint, tmp_path):
    run_prefixfs(space.source, mountpoint, "-o", f"endpoint={devs3.endpoint},cache_dir={tmp_path}/cache", environment=KEYS, cwd=tmp_path)
    pid = daemons_of(mountpoint)[0]
    proc = pathlib.Path(f"/proc/{pid}")
    assert os.readlink(proc / "cwd") == "/"
    for descriptor in ("0", "1", "2"):
        assert os.readlink(proc / "fd" / descriptor) == "/dev/null"
    assert os.getsid(pid) != os.getsid(0)


def test_how_the_kernel_shows_it(mnt, space):
    kind, source, options = mount_line(mnt.path)
    assert kind == "fuse.prefixfs"
    assert source == space.source
    assert {"nosuid", "nodev", "default_permissions"} <= options


def test_umount_ends_the_daemon_with_status_zero(mnt):
    (mnt / "file").write_bytes(b"x")
    assert mnt.stop() == 0


def test_umount_of_a_mount_in_use_is_refused(mnt):
    with open(mnt / "file", "wb") as file:
        file.write(b"x")
        assert not mount.unmount(mnt.path)
    assert (mnt / "file").read_bytes() == b"x"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_unmounts_and_ends_with_status_zero(mnt, number):
    (mnt / "file").write_bytes(b"x")
    mnt.process.signal(number)
    assert mnt.process.wait(15) == 0
    assert not mount.mounted_at(mnt.path)


WRITE_PROGRAM = """
import os, sys
descriptor = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
os.write(descriptor, b"x" * 100_000)
os.close(descriptor)
"""


def test_sigterm_finishes_what_is_in_flight(devs3, mnt, space):
    with devs3.fault("PutObject", space.key("file"), "latency", count=1, ms=2000):
        writer = subprocess.Popen([sys.executable, "-c", WRITE_PROGRAM, mnt / "file"], stderr=subprocess.PIPE)
        until(lambda: "request_wait_answer" in pathlib.Path(f"/proc/{writer.pid}/wchan").read_text(), 5, "close() waits", 0.2)
        mnt.process.signal(signal.SIGTERM)
        assert writer.wait(20) == 0, writer.stderr.read()
    assert mnt.process.wait(20) == 0
    assert space.get("file") == b"x" * 100_000


def test_sigterm_stores_what_is_open_and_changed(mnt, space):
    """The program still has the file open; its bytes are worth keeping."""
    writer = open(mnt / "file", "wb", buffering=0)
    writer.write(b"not closed")
    mnt.process.signal(signal.SIGTERM)
    assert mnt.process.wait(20) == 0
    until(lambda: space.exists("file") and space.get("file") == b"not closed", 5, "the bytes are in S3")
    with pytest.raises(OSError):
        writer.write(b"x")
    try:
        writer.close()
    except OSError:
        pass


def test_sigterm_does_not_put_half_a_file_in_the_place_of_a_whole_one(mnt, space):
    space.put("image.png", b"the whole image")
    writer = open(mnt / "image.png", "wb", buffering=0)
    writer.write(b"half")
    mnt.process.signal(signal.SIGTERM)
    assert mnt.process.wait(20) == 0
    assert space.get("image.png") == b"the whole image"
    assert b"half" in mnt.kept_files()
    try:
        writer.close()
    except OSError:
        pass


def test_a_mount_again_right_after_umount_waits_for_the_one_before(mnt):
    for number in range(10):
        (mnt / f"{number}").write_bytes(b"x" * 1_000_000)
        mnt.start_again_at_once()
        assert (mnt / f"{number}").stat().st_size == 1_000_000


def test_after_kill_9_what_was_closed_is_there_and_a_new_mount_works(mnt, space):
    for number in range(20):
        (mnt / f"{number}").write_bytes(b"%d" % number)
    mnt.kill()
    assert all(space.get(f"{number}") == b"%d" % number for number in range(20))
    mnt.start()
    assert len(os.listdir(mnt.path)) == 20 and (mnt / "7").read_bytes() == b"7"


def test_a_read_only_mount(make_mount, space):
    space.put("file", b"content")
    mnt = make_mount(ro=True)
    assert os.listdir(mnt.path) == ["file"] and (mnt / "file").read_bytes() == b"content"
    for call in (lambda: (mnt / "new").write_bytes(b""), lambda: os.mkdir(mnt / "dir"), lambda: os.unlink(mnt / "file"),
                 lambda: os.chmod(mnt / "file", 0o600), lambda: os.rename(mnt / "file", mnt / "x"), lambda: os.truncate(mnt / "file", 0)):
        with fails_with(EROFS):
            call()
    assert space.names() == ["file"]


def test_noexec_reaches_the_kernel(make_mount):
    mnt = make_mount(noexec=True)
    (mnt / "script").write_bytes(b"#!/bin/sh\n")
    (mnt / "script").chmod(0o755)
    with pytest.raises(PermissionError):
        subprocess.run([mnt / "script"])


def test_the_network_is_not_there_at_boot_and_then_is(tmp_path, mounts):
    """The mount appears at once; what needs S3 fails meanwhile, and works as soon as S3 is there. Nobody mounts again."""
    server = Devs3(tmp_path / "late", {"buckets": [{"name": "e2e"}], "keys": [{"access": ACCESS, "secret": SECRET}]})
    with Stopwatch() as watch:
        mnt = mounts.start("s3://e2e/boot", server.endpoint, outage_timeout="1s")
    assert watch.seconds < 5
    assert stat.S_ISDIR(mnt.path.stat().st_mode)
    with fails_with(EIO, ETIMEDOUT):
        os.listdir(mnt.path)
    server.start()
    try:
        until(lambda: os.listdir(mnt.path) == [], 15, "the directory can be listed")
        (mnt / "file").write_bytes(b"x")
        assert Space(server.client(), "e2e", "boot/").get("file") == b"x"
        mnt.stop()
    finally:
        server.stop()


def test_without_s3_the_mount_still_unmounts_quickly(mounts):
    mnt = mounts.start("s3://e2e/gone", f"http://127.0.0.1:{free_port()}")
    with Stopwatch() as watch:
        assert mnt.stop() == 0
    assert watch.seconds < 10


# /etc/fstab and mount(8).

@pytest.fixture(params=["mount.prefixfs", "mount.fuse.prefixfs"])
def helper(request):
    """The link through which mount(8) finds the program; the file system's type."""
    machine.require_root()
    link = pathlib.Path("/sbin") / request.param
    if os.path.lexists(link):
        machine.skip(f"{link} is there already")
    link.symlink_to(paths.PREFIXFS)
    yield request.param.removeprefix("mount.")
    link.unlink()


def mount_8(*arguments):
    clean = {"PATH": os.environ["PATH"], "HOME": "/root", "AWS_EC2_METADATA_DISABLED": "true", **KEYS}
    return subprocess.run(["mount", *map(str, arguments)], env=clean, capture_output=True, text=True, timeout=30)


def test_a_line_of_fstab(devs3, space, helper, mountpoint, tmp_path):
    space.put("file", b"content")
    options = f"_netdev,nofail,noauto,x-systemd.automount,allow_other,noatime,endpoint={devs3.endpoint},cache_dir={tmp_path}/cache"
    (tmp_path / "fstab").write_text(f"{space.source} {mountpoint} {helper} {options} 0 0\n")
    done = mount_8("--fstab", tmp_path / "fstab", mountpoint)
    assert done.returncode == 0, done.stderr
    assert (mountpoint / "file").read_bytes() == b"content"
    kind, source, shown = mount_line(mountpoint)
    assert kind == "fuse.prefixfs" and source == space.source and {"noatime", "allow_other"} <= shown
    assert subprocess.run(["umount", mountpoint]).returncode == 0
    wait_for_end(mountpoint)


def test_mount_8_passes_the_exit_code_on(devs3, helper, mountpoint, tmp_path):
    options = f"check,outage_timeout=2s,endpoint={devs3.endpoint},cache_dir={tmp_path}/cache"
    done = mount_8("-t", helper, "s3://no-such-bucket", mountpoint, "-o", options)
    assert done.returncode == 32 and "NoSuchBucket" in done.stderr
    assert mount_8("-t", helper, "s3://e2e", mountpoint, "-o", options + ",nonsense").returncode == 1
    assert not mount.mounted_at(mountpoint)


def test_mount_8_fake_mounts_nothing(devs3, space, helper, mountpoint):
    done = mount_8("-f", "-t", helper, space.source, mountpoint, "-o", f"endpoint={devs3.endpoint}")
    assert done.returncode == 0, done.stderr
    assert not mount.mounted_at(mountpoint)


# Ordinary users.

NOBODY = 65534


@pytest.fixture
def fuse_for_everybody():
    """udev gives /dev/fuse mode 0666; in a container it may have another one."""
    machine.require_root()
    machine.require_fuse()
    before = stat.S_IMODE(os.stat("/dev/fuse").st_mode)
    os.chmod("/dev/fuse", 0o666)
    yield
    os.chmod("/dev/fuse", before)


@pytest.mark.usefixtures("fuse_for_everybody")
def test_an_ordinary_user_mounts_through_fusermount3(public_mounts, devs3, space):
    machine.require_program("setpriv")
    machine.require_program("fusermount3")
    mnt = public_mounts.prepare(space.source, devs3.endpoint)
    for path in (mnt.directory, mnt.path, mnt.directory / "home"):
        os.chown(path, NOBODY, NOBODY)
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    done = subprocess.run([*as_nobody, str(paths.PREFIXFS), mnt.source, str(mnt.path), "-o", mnt.words()],
                          env=mnt.environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    try:
        run = lambda script: subprocess.run([*as_nobody, "sh", "-c", script], capture_output=True, text=True, cwd="/")
        assert run(f"echo content > {mnt.path}/file && cat {mnt.path}/file").stdout == "content\n"
        assert space.get("file") == b"content\n"
        with pytest.raises(PermissionError):
            os.listdir(mnt.path)  # without allow_other not even root
        assert run(f"fusermount3 -u {mnt.path}").returncode == 0
        wait_for_end(mnt.path)
    finally:
        if mount.mounted_at(mnt.path):
            mount.unmount(mnt.path, lazy=True)


def test_help_and_version():
    done = run_prefixfs("--help")
    assert done.returncode == 0 and "usage: prefixfs" in done.stdout and "endpoint=URL" in done.stdout
    done = run_prefixfs("--version")
    assert done.returncode == 0 and done.stdout.strip()


def test_many_programs_at_the_same_time(mnt, space):
    """Threads of one process, each with files of its own and one file that all read."""
    space.put("shared", b"s" * 500_000)
    problems = []

    def work(number):
        try:
            for turn in range(10):
                (mnt / f"{number}-{turn}").write_bytes(b"%d" % number * 1000)
                assert (mnt / "shared").read_bytes() == b"s" * 500_000
                assert (mnt / f"{number}-{turn}").read_bytes() == b"%d" % number * 1000
                if turn % 2:
                    os.unlink(mnt / f"{number}-{turn}")
        except BaseException as problem:  # told by the main thread
            problems.append(problem)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(24)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert problems == []
    assert len(space.names()) == 1 + 24 * 5
