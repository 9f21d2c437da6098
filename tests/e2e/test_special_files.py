"""Symbolic links, fifos, sockets and devices; set-id bits; the times of files and directories."""

import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from errno import EACCES, EEXIST, ELOOP, ENAMETOOLONG, ENOENT, EPERM

import pytest

from support import machine
from support.errnos import fails_with
from support.wait import until

A_TIME = 1_600_000_000
NOBODY = 65534


def metadata(space, name):
    return space.head(name)["Metadata"]


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


def test_a_link_is_an_object_whose_body_is_the_target(mnt, space):
    os.symlink("dir/target", mnt / "link")
    assert space.get("link") == b"dir/target"
    assert metadata(space, "link")["file-permissions"] == "0120777"
    found = os.lstat(mnt / "link")
    assert (found.st_mode, found.st_size) == (0o120777, 10)
    assert os.readlink(mnt / "link") == "dir/target"


def test_links_outlive_a_cold_remount(mnt):
    (mnt / "dir").mkdir()
    (mnt / "dir" / "file").write_bytes(b"content")
    os.symlink("dir/file", mnt / "link")
    os.symlink("dir", mnt / "to-dir")
    os.symlink("nowhere", mnt / "dangling")
    mnt.remount(cold=True)
    assert (mnt / "link").read_bytes() == b"content"
    assert os.listdir(mnt / "to-dir") == ["file"]
    assert (mnt / "to-dir" / "file").read_bytes() == b"content"
    assert os.readlink(mnt / "dangling") == "nowhere"
    with fails_with(ENOENT):
        open(mnt / "dangling")


def test_another_host_sees_them(make_mount):
    here, there = make_mount(), make_mount()
    os.listdir(there.path)
    os.symlink("file", here / "link")
    os.mkfifo(here / "fifo")
    until(lambda: stat.S_ISLNK(os.lstat(there / "link").st_mode), 5, "the link is seen as one")
    assert os.readlink(there / "link") == "file"
    assert stat.S_ISFIFO(os.lstat(there / "fifo").st_mode)
    with fails_with(EEXIST):
        os.symlink("other", there / "link")
    os.unlink(there / "link")
    until(lambda: not os.path.lexists(here / "link"), 5, "it is gone")


def test_of_two_hosts_that_make_one_name_one_is_told(make_mount):
    here, there = make_mount(), make_mount()
    for mnt in (here, there):
        os.listdir(mnt.path)
    os.symlink("mine", here / "lock")
    with fails_with(EEXIST):
        os.symlink("theirs", there / "lock")
    assert os.readlink(there / "lock") == "mine"


def test_links_are_followed_as_on_a_disk(mnt, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"outside")
    os.symlink(outside, mnt / "out")
    assert (mnt / "out").read_bytes() == b"outside"
    (mnt / "out").write_bytes(b"written through")
    assert outside.read_bytes() == b"written through"
    os.symlink("b", mnt / "a")
    os.symlink("a", mnt / "b")
    with fails_with(ELOOP):
        open(mnt / "a")
    with fails_with(ELOOP):
        os.open(mnt / "out", os.O_RDONLY | os.O_NOFOLLOW)
    with fails_with(EEXIST):
        os.symlink("x", mnt / "a")
    (mnt / "file").write_bytes(b"x")
    os.symlink("file", mnt / "to-file")
    with open(mnt / "to-file", "ab") as file:
        file.write(b"y")
    assert (mnt / "file").read_bytes() == b"xy" and os.path.islink(mnt / "to-file")
    os.symlink("made", mnt / "to-new")
    (mnt / "to-new").write_bytes(b"z")
    assert (mnt / "made").read_bytes() == b"z"


def test_targets_have_bounds(mnt):
    longest = "t" * 4095
    os.symlink(longest, mnt / "longest")
    assert os.readlink(mnt / "longest") == longest
    with fails_with(ENAMETOOLONG):
        os.symlink(longest + "t", mnt / "longer")
    with fails_with(ENOENT):
        os.symlink("", mnt / "none")
    strange = "ä\n\t %2F"
    os.symlink(strange, mnt / "strange")
    mnt.remount(cold=True)
    assert os.readlink(mnt / "strange") == strange
    assert os.readlink(mnt / "longest") == longest


def test_links_are_renamed_and_removed_and_have_owner_and_times_of_their_own(mnt):
    machine.require_root()
    (mnt / "file").write_bytes(b"content")
    os.symlink("file", mnt / "link")
    os.chown(mnt / "link", 12, 34, follow_symlinks=False)
    os.utime(mnt / "link", ns=(A_TIME * 10**9 + 1, A_TIME * 10**9 + 2), follow_symlinks=False)
    os.rename(mnt / "link", mnt / "moved")
    mnt.remount(cold=True)
    found = os.lstat(mnt / "moved")
    assert (found.st_mode, found.st_uid, found.st_gid) == (0o120777, 12, 34)
    assert (found.st_atime_ns, found.st_mtime_ns) == (A_TIME * 10**9 + 1, A_TIME * 10**9 + 2)
    assert (mnt / "file").stat().st_uid != 12
    os.replace(mnt / "file", mnt / "moved")
    assert (mnt / "moved").read_bytes() == b"content" and not os.path.islink(mnt / "moved")
    os.symlink("moved", mnt / "link")
    os.unlink(mnt / "link")
    assert os.listdir(mnt.path) == ["moved"]
    with fails_with(ENOENT):
        os.readlink(mnt / "link")


def test_programs_of_other_makers_links_are_read(mnt, space):
    space.put("s3fs", b"a/b", Metadata={"mode": str(0o120777), "uid": "0", "gid": "0", "mtime": "1"})
    space.put("fsx", b"a/b", Metadata={"file-permissions": "0120777"})
    space.put("geesefs", b"", Metadata={"--symlink-target": "a%2Fb"})
    space.put("plain.rclonelink", b"a/b")
    for name in ("s3fs", "fsx", "geesefs"):
        assert os.readlink(mnt / name) == "a/b"
        assert os.lstat(mnt / name).st_size == 3
    assert (mnt / "plain.rclonelink").read_bytes() == b"a/b"


def test_a_link_that_cannot_be_one_is_a_file(mnt, space):
    for name, body in (("empty", b""), ("nul", b"a\0b"), ("long", b"x" * 4096)):
        space.put(name, body, Metadata={"file-permissions": "0120777"})
        assert stat.S_ISREG(os.lstat(mnt / name).st_mode)
        assert (mnt / name).read_bytes() == body
    assert mnt.log().count("make no sense") == 1


def test_a_link_and_its_target_cost_one_put_and_nothing(mnt, record):
    os.listdir(mnt.path)
    recording = record()
    os.symlink("target", mnt / "link")
    assert recording.counts() == {"PutObject": 1}
    recording = record()
    assert os.readlink(mnt / "link") == "target"
    assert recording.counts() == {}


def test_a_link_of_another_client_is_one_get(mnt, space, record):
    space.put("link", b"target", Metadata={"file-permissions": "0120777"})
    os.listdir(mnt.path)
    time.sleep(1.2)  # the time is the point: the listing is not believed any more
    recording = record()
    assert os.readlink(mnt / "link") == "target"
    assert recording.counts() == {"GetObject": 1}


def test_a_virtual_environment_of_python(mnt):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", mnt / "venv"], check=True)
    said = subprocess.run([mnt / "venv/bin/python", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(mnt / "venv")
    assert os.path.islink(mnt / "venv/bin/python")


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
    assert metadata(space, "null")["file-rdev"] == str(os.makedev(1, 3))
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


def test_a_killed_worker_costs_a_maker_of_links_no_error(mnt):
    enough = threading.Event()
    made, problems = [], []

    def make():
        while not enough.is_set():
            number = len(made)
            try:
                os.symlink(f"target-{number}", mnt / f"link-{number}")
            except OSError as error:
                problems.append(error)
            made.append(number)

    maker = threading.Thread(target=make)
    maker.start()
    for _ in range(5):
        before = len(made)
        until(lambda: len(made) >= before + 5, 20, "more links are made")
        mnt.kill_worker()
    enough.set()
    maker.join()
    assert problems == []
    assert all(os.readlink(mnt / f"link-{number}") == f"target-{number}" for number in made)


# ---- set-id bits ----

def as_nobody(*command):
    return subprocess.run(command, user=NOBODY, group=NOBODY, extra_groups=[])


@pytest.fixture
def public(public_mounts, server, space):
    machine.require_root()
    mnt = public_mounts.start(space.source, server.endpoint, server.access, server.secret, allow_other=True).wait_connected()
    mnt.directory.chmod(0o755)
    mnt.path.chmod(0o777)
    return mnt


def test_what_is_made_in_a_setgid_directory_gets_its_group(mnt):
    machine.require_root()
    (mnt / "shared").mkdir()
    os.chown(mnt / "shared", 0, 1234)
    os.chmod(mnt / "shared", 0o2775)
    (mnt / "shared" / "file").write_bytes(b"x")
    (mnt / "shared" / "dir").mkdir()
    os.symlink("x", mnt / "shared" / "link")
    os.mkfifo(mnt / "shared" / "fifo")
    mnt.remount(cold=True)
    assert {os.lstat(mnt / "shared" / name).st_gid for name in ("file", "dir", "link", "fifo")} == {1234}
    assert os.stat(mnt / "shared" / "dir").st_mode == 0o042755
    assert os.stat(mnt / "shared" / "file").st_mode == 0o100644
    (mnt / "plain").mkdir()
    assert os.stat(mnt / "plain").st_mode == 0o040755


@pytest.mark.parametrize("mode, after", [(0o4777, 0o777), (0o2777, 0o777), (0o6777, 0o777), (0o2767, 0o2767), (0o1777, 0o1777)], ids=oct)
@pytest.mark.parametrize("change", ["echo x >> {}", "echo x > {}", "truncate -s 3 {}"], ids=["append", "overwrite", "truncate"])
def test_an_ordinary_users_write_clears_set_id_bits(public, mode, after, change):
    file = public / "program"
    file.write_bytes(b"content")
    os.chmod(file, mode)
    assert as_nobody("sh", "-c", change.format(file)).returncode == 0
    assert file.stat().st_mode & 0o7777 == after
    public.remount(cold=True)
    assert file.stat().st_mode & 0o7777 == after


def test_roots_write_leaves_them(public):
    file = public / "program"
    file.write_bytes(b"content")
    os.chmod(file, 0o6755)
    with open(file, "ab") as opened:
        opened.write(b"x")
    assert file.stat().st_mode & 0o7777 == 0o6755


def test_chown_and_chmod_clear_what_they_must(public):
    file = public / "program"
    file.write_bytes(b"content")
    os.chown(file, NOBODY, NOBODY)
    os.chmod(file, 0o6755)
    assert file.stat().st_mode & 0o7777 == 0o6755
    assert as_nobody("chgrp", str(NOBODY), file).returncode == 0
    assert file.stat().st_mode & 0o7777 == 0o755
    os.chown(file, NOBODY, 0)  # nobody owns it, and is not in its group
    assert as_nobody("chmod", "2755", file).returncode == 0
    assert file.stat().st_mode & 0o7777 == 0o755
    (public / "dir").mkdir()
    os.chmod(public / "dir", 0o2775)
    os.chown(public / "dir", 12, 34)
    assert (public / "dir").stat().st_mode & 0o7777 == 0o2775


# ---- times ----

def test_an_atime_that_is_set_stays(mnt, space):
    (mnt / "file").write_bytes(b"content")
    os.utime(mnt / "file", ns=(A_TIME * 10**9 + 5, A_TIME * 10**9 + 7))
    assert metadata(space, "file")["file-atime"] == f"{A_TIME * 10**9 + 5}ns"
    assert (mnt / "file").read_bytes() == b"content"
    mnt.remount(cold=True)
    found = (mnt / "file").stat()
    assert (found.st_atime_ns, found.st_mtime_ns) == (A_TIME * 10**9 + 5, A_TIME * 10**9 + 7)


def test_an_atime_that_nobody_has_set_is_the_mtime_and_is_not_written(mnt, space):
    (mnt / "file").write_bytes(b"content")
    os.utime(mnt / "file", (A_TIME, A_TIME))
    found = (mnt / "file").stat()
    assert found.st_atime_ns == found.st_mtime_ns == A_TIME * 10**9
    assert "file-atime" not in metadata(space, "file")


def test_touch_moves_what_it_is_told_to(mnt):
    (mnt / "file").write_bytes(b"content")
    os.utime(mnt / "file", (A_TIME, A_TIME))
    subprocess.run(["touch", "-a", "-d", "@1500000000", mnt / "file"], check=True)
    assert [int(t) for t in ((mnt / "file").stat().st_atime, (mnt / "file").stat().st_mtime)] == [1_500_000_000, A_TIME]
    subprocess.run(["touch", "-m", "-d", "@1400000000", mnt / "file"], check=True)
    assert [int(t) for t in ((mnt / "file").stat().st_atime, (mnt / "file").stat().st_mtime)] == [1_500_000_000, 1_400_000_000]
    subprocess.run(["touch", mnt / "file"], check=True)
    found = (mnt / "file").stat()
    assert found.st_atime_ns == found.st_mtime_ns and found.st_mtime > A_TIME


def test_ctime_moves_with_each_change_and_not_with_the_mtime(mnt):
    (mnt / "file").write_bytes(b"content")
    os.symlink("x", mnt / "link")
    changes = [lambda: os.chmod(mnt / "file", 0o600), lambda: os.utime(mnt / "file", (A_TIME, A_TIME)), lambda: os.rename(mnt / "file", mnt / "new"),
               lambda: (mnt / "file").write_bytes(b"more")]
    for change in changes:
        before = (mnt / "file").stat().st_ctime_ns
        time.sleep(0.02)  # the time is the point: a clock tick of the file system
        change()
        name = "file" if (mnt / "file").exists() else "new"
        assert (mnt / name).stat().st_ctime_ns > before
        if name == "new":
            os.rename(mnt / "new", mnt / "file")
    assert (mnt / "file").stat().st_ctime > A_TIME + 1000


def test_a_directorys_mtime_moves_with_its_names(mnt, record):
    (mnt / "dir").mkdir()
    (mnt / "other").mkdir()
    changes = [lambda: (mnt / "dir/file").write_bytes(b""), lambda: os.rename(mnt / "dir/file", mnt / "other/file"),
               lambda: os.rename(mnt / "other/file", mnt / "dir/file"), lambda: os.unlink(mnt / "dir/file"), lambda: (mnt / "dir/sub").mkdir(),
               lambda: (mnt / "dir/sub").rmdir(), lambda: os.symlink("x", mnt / "dir/link")]
    for change in changes:
        before = (mnt / "dir").stat()
        time.sleep(0.02)  # the time is the point
        change()
        after = (mnt / "dir").stat()
        assert after.st_mtime_ns > before.st_mtime_ns and after.st_ctime_ns > before.st_ctime_ns
    moved = (mnt / "dir").stat().st_mtime_ns
    os.listdir(mnt / "dir")
    mnt.remount()
    assert (mnt / "dir").stat().st_mtime_ns == moved
    os.utime(mnt / "dir", (A_TIME, A_TIME))
    assert (mnt / "dir").stat().st_mtime == A_TIME
    mnt.remount(cold=True)
    assert (mnt / "dir").stat().st_mtime == A_TIME


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
