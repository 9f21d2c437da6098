"""Fifos, sockets and devices; copies of trees that have everything in them."""

import os
import shutil
import socket
import stat
import subprocess
import threading
from errno import EACCES, EPERM

import pytest

from support import machine
from support.errnos import fails_with
from support.wait import until

A_TIME = 1_600_000_000


def test_a_fifo_is_one(mnt):
    os.mkfifo(mnt / "fifo", 0o640)
    got = []
    reader = threading.Thread(target=lambda: got.append(open(mnt / "fifo", "rb").read()))
    reader.start()
    with open(mnt / "fifo", "wb") as fifo:
        fifo.write(b"through the kernel")
    reader.join(10)
    assert got == [b"through the kernel"]
    mnt.remount(cold=True)
    assert os.lstat(mnt / "fifo").st_mode == 0o010640


def test_a_socket_is_one(mnt):
    here = os.getcwd()
    os.chdir(mnt.path)  # the path of a socket has at most 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind("socket")
            server.listen()
            client.connect("socket")
            client.sendall(b"hello")
            accepted, _ = server.accept()
            with accepted:
                assert accepted.recv(5) == b"hello"
    finally:
        os.chdir(here)
    mnt.remount(cold=True)
    assert stat.S_ISSOCK(os.lstat(mnt / "socket").st_mode)


def test_devices_have_their_numbers(mnt, space):
    machine.require_root()
    os.mknod(mnt / "null", 0o020666, os.makedev(1, 3))
    os.mknod(mnt / "disk", 0o060600, os.makedev(259, 70_000))
    mnt.remount(cold=True)
    assert os.lstat(mnt / "null").st_rdev == os.makedev(1, 3) and stat.S_ISCHR(os.lstat(mnt / "null").st_mode)
    assert os.lstat(mnt / "disk").st_rdev == os.makedev(259, 70_000) and stat.S_ISBLK(os.lstat(mnt / "disk").st_mode)
    assert space.head("null")["Metadata"]["file-rdev"] == str(os.makedev(1, 3))
    with fails_with(EACCES):
        open(mnt / "null")  # nodev


def test_mknod_makes_files(mnt, space):
    os.mknod(mnt / "file", 0o100640)
    assert space.get("file") == b""
    (mnt / "file").write_bytes(b"x")
    assert (mnt / "file").stat().st_mode == 0o100640


def test_without_metadata_they_are_refused(make_mount):
    mnt = make_mount(posix_metadata="off")
    for call in (lambda: os.symlink("file", mnt / "link"), lambda: os.mkfifo(mnt / "fifo")):
        with fails_with(EPERM):
            call()
    os.mknod(mnt / "file", 0o100644)
    assert os.listdir(mnt.path) == ["file"]


def test_with_the_journal_they_outlive_a_kill(make_mount, space):
    mnt = make_mount(commit="journal")
    os.symlink("target", mnt / "link.tmp")
    os.rename(mnt / "link.tmp", mnt / "link")
    os.mkfifo(mnt / "fifo")
    mnt.kill()
    mnt.start()
    assert os.readlink(mnt / "link") == "target"
    assert stat.S_ISFIFO(os.lstat(mnt / "fifo").st_mode)
    until(lambda: set(space.names()) == {"link", "fifo"}, 20, "S3 has them")
    assert space.get("link") == b"target"


def tree_of(directory):
    """What lstat and readlink say of everything below, but for inode numbers, ctimes and the blocks of directories."""
    found = {}
    for above, directories, files in os.walk(directory):
        for name in directories + files:
            path = os.path.join(above, name)
            status = os.lstat(path)
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
            size = None if stat.S_ISDIR(status.st_mode) else status.st_size
            found[os.path.relpath(path, directory)] = (status.st_mode, status.st_uid, status.st_gid, size, int(status.st_mtime), target)
    return found


@pytest.fixture
def tree(tmp_path):
    """A local directory with everything in it."""
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "file").write_bytes(b"content")
    (root / "sub" / "empty").write_bytes(b"")
    os.symlink("sub/file", root / "link")
    os.symlink("nowhere", root / "sub" / "dangling")
    os.symlink("sub", root / "to-dir")
    os.mkfifo(root / "fifo", 0o640)
    if os.geteuid() == 0:
        os.mknod(root / "null", 0o020666, os.makedev(1, 3))
        os.chmod(root / "null", 0o666)
    for path in (root / "link", root / "sub" / "dangling", root / "to-dir"):
        os.utime(path, (A_TIME, A_TIME), follow_symlinks=False)
    os.utime(root / "sub", (A_TIME, A_TIME))
    return root


@pytest.mark.parametrize("copy", [["cp", "-a"], ["rsync", "-aD"]], ids=["cp", "rsync"])
def test_copies_are_whole(mnt, tree, copy):
    machine.require_program(copy[0])
    subprocess.run([*copy, f"{tree}/.", mnt / "copy/"], check=True)
    assert tree_of(mnt / "copy") == tree_of(tree)
    mnt.remount(cold=True)
    assert {name: os.lstat(mnt / "copy" / name).st_mode for name in tree_of(tree)} == {name: said[0] for name, said in tree_of(tree).items()}
    assert tree_of(mnt / "copy") == tree_of(tree)


def test_tar_there_and_back(mnt, tree, tmp_path):
    machine.require_program("tar")
    subprocess.run(["tar", "-cf", tmp_path / "a.tar", "-C", tree, "."], check=True)
    (mnt / "copy").mkdir()
    subprocess.run(["tar", "-xpf", tmp_path / "a.tar", "-C", mnt / "copy"], check=True)
    assert tree_of(mnt / "copy") == tree_of(tree)
    subprocess.run(["tar", "-cf", tmp_path / "b.tar", "-C", mnt / "copy", "."], check=True)
    (tmp_path / "back").mkdir()
    subprocess.run(["tar", "-xpf", tmp_path / "b.tar", "-C", tmp_path / "back"], check=True)
    assert tree_of(tmp_path / "back") == tree_of(tree)
    shutil.rmtree(mnt / "copy")
    assert os.listdir(mnt.path) == []
