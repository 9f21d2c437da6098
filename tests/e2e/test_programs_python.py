"""Python's own library on a mount: what keeps data in files, and what handles them."""

import csv
import dbm
import errno
import importlib
import json
import linecache
import logging.handlers
import mailbox
import multiprocessing
import os
import pathlib
import pickle
import shelve
import shutil
import tarfile
import tempfile
import zipfile

import pytest

from support import machine
from support.place import not_yet
from support.programs import run
from support.wait import until


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    for number in range(12):
        path = root / f"d{number % 3}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text {number}\n" * number)
    (root / "empty").mkdir()
    (root / "d0" / "0.txt").chmod(0o600)
    return root


def test_tempfile(place):
    with tempfile.NamedTemporaryFile(dir=place.path, suffix=".txt") as named:
        named.write(b"temporary")
        named.flush()
        assert pathlib.Path(named.name).read_bytes() == b"temporary"
        assert os.stat(named.name).st_mode & 0o777 == 0o600
    assert not os.path.exists(named.name)
    with tempfile.NamedTemporaryFile(dir=place.path, delete=False) as kept:
        kept.write(b"kept")
    os.replace(kept.name, place / "kept")
    with tempfile.TemporaryFile(dir=place.path) as nameless:  # O_TMPFILE, or a file without a name
        nameless.write(b"x" * 100_000)
        nameless.seek(50_000)
        assert nameless.read() == b"x" * 50_000
    with tempfile.SpooledTemporaryFile(max_size=10, dir=place.path) as spooled:
        spooled.write(b"rolled over to the disk")
        spooled.seek(0)
        assert spooled.read() == b"rolled over to the disk"
    with tempfile.TemporaryDirectory(dir=place.path) as directory:
        (pathlib.Path(directory) / "sub").mkdir()
        (pathlib.Path(directory) / "sub" / "file").write_bytes(b"x")
    place.come_back()
    assert os.listdir(place.path) == ["kept"] and (place / "kept").read_bytes() == b"kept"


def test_shutil(place, tree):
    shutil.copytree(tree, place / "tree")
    shutil.copytree(tree / "d0", place / "tree", dirs_exist_ok=True)
    shutil.copy2(tree / "d1" / "1.txt", place / "tree" / "copied")
    shutil.copystat(tree / "d0" / "0.txt", place / "tree" / "copied")
    shutil.move(place / "tree" / "d1", place / "moved")
    shutil.move(place / "moved" / "1.txt", place / "one")
    for format in ("zip", "tar", "gztar", "xztar"):
        archive = shutil.make_archive(place / "packed", format, place.path, "tree")
        shutil.unpack_archive(archive, place / f"from {format}")
        run("diff", "-r", place / "tree", place / f"from {format}" / "tree")
    place.come_back()
    assert (place / "tree" / "copied").stat().st_mtime_ns == (tree / "d0" / "0.txt").stat().st_mtime_ns
    assert (place / "tree" / "copied").stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(place / "moved")) == ["10.txt", "4.txt", "7.txt"] and (place / "one").read_text() == "text 1\n"
    run("diff", "-r", tree / "d2", place / "from xztar" / "tree" / "d2")
    shutil.rmtree(place / "from zip")
    assert not (place / "from zip").exists()
    usage = shutil.disk_usage(place.path)
    assert usage.total >= usage.free > 0


def test_pathlib(place):
    path = place / "a" / "b" / "c.txt"
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    with pytest.raises(FileExistsError):
        path.touch(exist_ok=False)
    path.write_text("text")
    assert path.rename(path.with_suffix(".md")).exists() and not path.exists()
    path.with_suffix(".md").replace(place / "c.md")
    (place / "c.md").chmod(0o444)
    assert [found.name for found in place.path.rglob("*")] == ["a", "c.md", "b"] or sorted(os.listdir(place.path)) == ["a", "c.md"]
    assert (place / "a" / ".." / "c.md").resolve() == (place / "c.md").resolve() and (place / "c.md").samefile(place / "a" / ".." / "c.md")
    assert (place / "c.md").owner() and not (place / "c.md").is_symlink() and place.path.is_mount() in (True, False)
    with pytest.raises(OSError) as raised:
        (place / "a").rmdir()
    assert raised.value.errno == errno.ENOTEMPTY
    (place / "a" / "b").rmdir()
    (place / "a").rmdir()
    (place / "missing").unlink(missing_ok=True)
    place.come_back()
    assert (place / "c.md").read_text() == "text" and list(place.path.glob("*.md")) == [place / "c.md"]


def test_a_directory_is_renamed_by_pathlib_and_os(place, tree):
    shutil.copytree(tree, place / "tree")
    (place / "tree").rename(place / "renamed")
    place.come_back()
    run("diff", "-r", tree, place / "renamed")
    os.replace(place / "renamed" / "d1", place / "d1")
    assert not (place / "tree").exists() and sorted(os.listdir(place / "d1")) == sorted(os.listdir(tree / "d1"))


def test_symbolic_links_by_pathlib(place):
    (place / "file").write_text("text")
    (place / "link").symlink_to("file")
    assert (place / "link").read_text() == "text" and (place / "link").readlink() == pathlib.Path("file")
    assert (place / "link").resolve() == (place / "file").resolve() and (place / "link").lstat().st_size == len("file")
    (place / "link").rename(place / "moved")
    place.come_back()
    assert (place / "moved").is_symlink() and (place / "moved").read_text() == "text" and not (place / "link").is_symlink()


@not_yet("hard links")
def test_hard_links_by_pathlib(place):
    (place / "file").write_text("text")
    (place / "hard").hardlink_to(place / "file")
    assert (place / "hard").samefile(place / "file") and (place / "file").stat().st_nlink == 2


def test_zipfile_and_tarfile_are_read_made_and_extended(place, tree):
    with zipfile.ZipFile(place / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(tree.rglob("*.txt")):
            archive.write(path, path.relative_to(tree))
    with zipfile.ZipFile(place / "a.zip", "a") as archive:  # writes over the directory at the end
        archive.writestr("more", b"more")
    with tarfile.open(place / "a.tar", "w") as archive:
        archive.add(tree, "tree")
    with tarfile.open(place / "a.tar", "a") as archive:
        archive.add(tree / "d0" / "0.txt", "more")
    with tarfile.open(place / "a.tar.gz", "w:gz") as archive:
        archive.add(tree, "tree")
    place.come_back()
    with zipfile.ZipFile(place / "a.zip") as archive:
        assert archive.testzip() is None and len(archive.namelist()) == 13
        archive.extractall(place / "unzipped")
    with tarfile.open(place / "a.tar") as archive:
        assert archive.getmember("more").size == 0
        archive.extractall(place / "untarred", filter="data")
    with tarfile.open(place / "a.tar.gz") as archive:
        archive.extractall(place / "ungzipped", filter="tar")
    for unpacked in ("untarred", "ungzipped"):
        run("diff", "-r", "--exclude=more", tree, place / unpacked / "tree")
    (place / "unzipped" / "more").unlink()
    run("diff", "-r", "--exclude=empty", tree, place / "unzipped")


BOXES = {"mbox": mailbox.mbox, "Maildir": mailbox.Maildir, "MH": mailbox.MH}


def locked(box):
    try:
        box.lock()
        return True
    except mailbox.ExternalClashError:
        return False


def deliver(path, kind, sender):
    """What another process does."""
    box = BOXES[kind](path)
    for number in range(10):
        message = mailbox.Message()
        message["Subject"] = f"{sender} {number}"
        message.set_payload(f"From {sender}\n" * (number + 1))
        until(lambda: locked(box), 30, "the box can be locked")
        try:
            box.add(message)
            box.flush()
        finally:
            box.unlock()
    box.close()


@pytest.mark.parametrize("kind", BOXES)
def test_two_senders_deliver_into_a_mailbox(place, kind):
    path = place / "box"
    BOXES[kind](path, create=True).close()
    spawn = multiprocessing.get_context("spawn")
    senders = [spawn.Process(target=deliver, args=(path, kind, sender)) for sender in ("a", "b")]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
        assert sender.exitcode == 0
    place.come_back()
    box = BOXES[kind](path)
    assert sorted(message["Subject"] for message in box) == sorted(f"{sender} {number}" for sender in "ab" for number in range(10))
    for key, message in list(box.items()):
        if message["Subject"].startswith("a"):
            box.remove(key)
    box.flush()  # of an mbox: a new file, which is renamed
    box.close()
    place.come_back()
    left = BOXES[kind](path)
    assert len(left) == 10 and all(message.get_payload().count("From b") == int(message["Subject"].split()[1]) + 1 for message in left)
    left.close()


@pytest.mark.parametrize("library", ["dbm.dumb", "dbm.gnu", "dbm.ndbm"])
def test_dbm_and_shelve(place, library):
    try:
        module = importlib.import_module(library)
    except ImportError:
        machine.skip(f"this Python has no {library}")
    with module.open(str(place / "data"), "c") as database:
        for number in range(100):
            database[f"key {number}"] = f"value {number}" * 20
        del database["key 0"]
    place.come_back()
    with module.open(str(place / "data"), "r") as database:
        assert len(database.keys()) == 99 and database["key 77"] == b"value 77" * 20
    assert dbm.whichdb(str(place / "data")) == library
    with shelve.Shelf(module.open(str(place / "shelf"), "c"), writeback=True) as shelf:
        shelf["list"] = [1]
        shelf["list"].append({2: (3,)})
    place.come_back()
    with shelve.Shelf(module.open(str(place / "shelf"), "r")) as shelf:
        assert shelf["list"] == [1, {2: (3,)}]


def test_pickle_json_csv_and_text(place):
    value = {"list": list(range(1000)), "text": "ünï" * 100}
    with open(place / "pickle", "wb") as file:
        pickle.dump(value, file)
    with open(place / "json", "w") as file:
        json.dump(value, file)
    with open(place / "csv", "w", newline="") as file:
        csv.writer(file).writerows([number, f"row, {number}"] for number in range(500))
    with open(place / "text", "x", encoding="utf-16", newline="\r\n") as file:
        file.write("first\nsecond\n")
    with open(place / "text", "r+", encoding="utf-16", newline="") as file:
        assert file.readline() == "first\r\n"
        position = file.tell()
        assert file.readline() == "second\r\n"
        file.seek(position)
        file.truncate()
    place.come_back()
    assert pickle.loads((place / "pickle").read_bytes()) == value == json.loads((place / "json").read_text())
    with open(place / "csv", newline="") as file:
        assert sum(int(row[0]) for row in csv.reader(file)) == 499 * 500 // 2
    assert (place / "text").read_text(encoding="utf-16") == "first\n"
    assert linecache.getline(str(place / "csv"), 2) == '1,"row, 1"\n'


def test_logging_rotates(place):
    logger = logging.Logger("rotates")
    handler = logging.handlers.RotatingFileHandler(place / "log", maxBytes=1000, backupCount=3)
    logger.addHandler(handler)
    for number in range(500):
        logger.warning("message %03d", number)
    handler.close()
    watched = logging.handlers.WatchedFileHandler(place / "watched")
    logger.addHandler(watched)
    logger.removeHandler(handler)
    logger.warning("before")
    os.rename(place / "watched", place / "watched.1")  # as logrotate does
    logger.warning("after")
    watched.close()
    place.come_back()
    assert sorted(os.listdir(place.path)) == ["log", "log.1", "log.2", "log.3", "watched", "watched.1"]
    lines = "".join((place / name).read_text() for name in ("log.3", "log.2", "log.1", "log")).split("\n")
    assert lines[:-1] == [f"message {number:03}" for number in range(500 - len(lines) + 1, 500)] and len(lines) > 3 * 1000 // 12
    assert (place / "watched.1").read_text() == "before\n" and (place / "watched").read_text() == "after\n"
