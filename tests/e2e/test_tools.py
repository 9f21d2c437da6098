"""What administrators type."""

import hashlib
import os
import shutil
import tarfile
import threading

import pytest

from support import machine
from support.programs import run
from support.wait import until

SEEN = 3  # seconds by which another mount must show a change


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """1000 small files in 40 directories, some of them empty, deep, or oddly named."""
    root = tmp_path_factory.mktemp("tree") / "tree"
    for number in range(1000):
        directory = root / f"d{number % 10}" / f"s{number % 40}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"file {number}.txt").write_bytes(hashlib.sha256(b"%d" % number).digest() * (number % 7))
    (root / "empty").mkdir()
    (root / "d0" / "ünï & <odd>").write_bytes(b"odd")
    (root / "script.sh").write_bytes(b"#!/bin/sh\n")
    (root / "script.sh").chmod(0o755)
    return root


def test_cp_r_and_diff_r(mnt, space, tree):
    run("cp", "-r", tree, mnt / "tree")
    assert sum(not name.endswith("/") for name in space.names()) == 1002
    run("diff", "-r", tree, mnt / "tree")
    mnt.remount(cold=True)
    run("diff", "-r", tree, mnt / "tree")
    assert os.access(mnt / "tree" / "script.sh", os.X_OK)


def test_cp_a_keeps_modes_and_times(mnt, tree):
    run("cp", "-a", tree / "d1", mnt / "d1")
    mnt.remount(cold=True)
    for path in (tree / "d1").rglob("*"):
        copy = mnt / "d1" / path.relative_to(tree / "d1")
        assert copy.stat().st_mode == path.stat().st_mode
        if path.is_file():
            assert copy.stat().st_mtime_ns == path.stat().st_mtime_ns


def test_tar_in_and_out(mnt, tree, tmp_path):
    run("tar", "-cf", tmp_path / "in.tar", "-C", tree, ".")
    (mnt / "tree").mkdir()
    run("tar", "-xf", tmp_path / "in.tar", "-C", mnt / "tree")
    run("diff", "-r", tree, mnt / "tree")
    run("tar", "-cf", mnt / "out.tar", "-C", mnt / "tree", ".")
    with tarfile.open(mnt / "out.tar") as archive:
        assert sum(member.isfile() for member in archive) == 1002


def test_rsync_a_copies_once(mnt, tree, record):
    machine.require_program("rsync")
    (mnt / "tree").mkdir()
    run("rsync", "-a", f"{tree}/", f"{mnt.path}/tree/")
    run("diff", "-r", tree, mnt / "tree")
    recording = record()
    out = run("rsync", "-a", "--itemize-changes", f"{tree}/", f"{mnt.path}/tree/")
    assert [line for line in out.splitlines() if line.startswith(">f")] == []
    requests = recording.requests()
    assert requests.of("PutObject", "CopyObject") == [] and requests.of("GetObject").bytes_out() == 0


def test_rsync_after_a_change_copies_that_file(mnt, tree, tmp_path):
    machine.require_program("rsync")
    source = tmp_path / "source"
    shutil.copytree(tree / "d2", source)
    run("rsync", "-a", f"{source}/", mnt / "d2")
    changed = next(path for path in source.rglob("*.txt"))
    changed.write_bytes(b"changed")
    run("rsync", "-a", "--delete", f"{source}/", mnt / "d2")
    run("diff", "-r", source, mnt / "d2")


@pytest.fixture
def stored(mnt, space):
    """A few files by another client."""
    for number in range(12):
        space.put(f"dir/sub{number % 3}/{number}.txt", b"line of %d\nneedle\n" % number if number == 5 else b"hay\n")
    return until(lambda: (mnt / "dir").is_dir() and mnt, SEEN, "the directory is there")


def test_ls_find_du_grep_wc(stored):
    mnt = stored
    assert run("ls", mnt / "dir").split() == ["sub0", "sub1", "sub2"]
    assert len(run("ls", "-lR", mnt.path).splitlines()) > 12
    assert len(run("find", mnt.path, "-name", "*.txt").splitlines()) == 12
    assert run("find", mnt.path, "-type", "f", "-size", "+0").count("\n") == 12
    assert int(run("du", "-sb", "--apparent-size", mnt / "dir" / "sub0").split()[0]) >= 16
    assert run("grep", "-rl", "needle", mnt.path).strip().endswith("sub2/5.txt")
    assert run("cat", mnt / "dir" / "sub1" / "1.txt") == "hay\n"


def test_mv_of_files_and_directories(stored, space):
    mnt = stored
    run("mv", mnt / "dir" / "sub0" / "0.txt", mnt / "dir" / "renamed.txt")
    assert space.get("dir/renamed.txt") == b"hay\n" and not space.exists("dir/sub0/0.txt")
    run("mv", mnt / "dir" / "sub1", mnt / "moved")  # a directory: mv copies where rename cannot
    assert sorted(os.listdir(mnt / "moved")) == ["1.txt", "10.txt", "4.txt", "7.txt"]
    assert not any(name.startswith("dir/sub1") for name in space.names())


def test_rm_r(stored, space):
    run("rm", "-r", stored / "dir")
    assert not any(name.startswith("dir/") for name in space.names())
    assert os.listdir(stored.path) == []


def test_an_editor_saves_by_temporary_file_and_rename(mnt, space):
    space.put("notes.txt", b"old text\n")
    run("sed", "-i", "s/old/new/", mnt / "notes.txt")
    assert space.get("notes.txt") == b"new text\n" and space.names() == ["notes.txt"]


def test_dd_head_tail_and_redirections(mnt, space):
    run("dd", "if=/dev/zero", f"of={mnt.path}/zero", "bs=64k", "count=20", "conv=fsync")
    assert space.get("zero") == bytes(64 * 1024 * 20)
    run("sh", "-c", f"seq 1000 > {mnt.path}/seq && echo more >> {mnt.path}/seq")
    assert run("tail", "-n", "2", mnt / "seq") == "1000\nmore\n"
    assert run("head", "-c", "4", mnt / "seq") == "1\n2\n"


def test_unzip(mnt, tmp_path):
    machine.require_program("unzip")
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path_with_files(tmp_path))
    run("unzip", "-q", archive, "-d", mnt / "out")
    assert sorted(os.listdir(mnt / "out")) == ["0", "1", "2"]


def tmp_path_with_files(tmp_path):
    directory = tmp_path / "files"
    directory.mkdir()
    for number in range(3):
        (directory / str(number)).write_bytes(b"x" * number)
    return directory


def test_git_and_sqlite(mnt):
    machine.require_program("git")
    git = ["git", "-C", mnt / "repo", "-c", "user.name=T", "-c", "user.email=t@example.org"]
    (mnt / "repo").mkdir()
    run(*git, "init", "-q")
    (mnt / "repo" / "file").write_text("text\n")
    run(*git, "add", "file")
    run(*git, "commit", "-q", "-m", "first")
    assert run(*git, "status", "--porcelain") == ""
    run(*git, "fsck", "--strict")
    machine.require_program("sqlite3")
    run("sqlite3", mnt / "data.db", "create table t(x); insert into t values (1),(2);")
    assert run("sqlite3", mnt / "data.db", "select sum(x) from t; pragma integrity_check;").split() == ["3", "ok"]


def test_two_mounts_of_one_prefix(make_mount):
    one, other = make_mount(), make_mount()
    (one / "dir").mkdir()
    (one / "dir" / "file").write_bytes(b"from one")
    until(lambda: (other / "dir" / "file").read_bytes() == b"from one", SEEN, "the other mount sees it")
    (other / "dir" / "file").write_bytes(b"from the other")
    until(lambda: (one / "dir" / "file").read_bytes() == b"from the other", SEEN, "the first mount sees it")
    os.unlink(one / "dir" / "file")
    until(lambda: not (other / "dir" / "file").exists(), SEEN, "the other mount sees the deletion")
    (other / "dir" / "new").write_bytes(b"x")
    until(lambda: os.listdir(one / "dir") == ["new"], SEEN, "ls on the first mount shows it")


def test_ls_beside_writers_leaves_them_what_they_wrote(mnt):
    """A listing tells the kernel sizes, by which it cuts its pages: they must not be those from before a close."""
    folder = mnt / "folder"
    folder.mkdir()
    wrong, ended = [], threading.Event()

    def lists():
        while not ended.is_set():
            os.listdir(folder)

    def writes(number):
        for turn in range(150):
            data = bytes([1 + turn]) * (5000 + 700 * ((turn * 37 + number) % 150))
            (folder / f"{number}").write_bytes(data)
            if (folder / f"{number}").stat().st_size != len(data) or (folder / f"{number}").read_bytes() != data:
                wrong.append((number, turn))

    lister = threading.Thread(target=lists)
    writers = [threading.Thread(target=writes, args=(number,)) for number in range(4)]
    for thread in [lister, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    lister.join()
    assert wrong == []
