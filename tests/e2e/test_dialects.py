"""One tree, two programs: what s3fs has written is the same tree here, and what is written with `posix_metadata=s3fs` is the same tree in s3fs.
What rclone has copied with its metadata is read too. SEMANTICS.md, "Attributes", says which words each of them uses."""

import dataclasses
import os
import random
import stat
import subprocess

import pytest

from support import machine
from support.s3fs import S3fsMount
from support.tree import Entry, Shown, digest, expected, make, shown

FILE, DIRECTORY, LINK, FIFO = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO
PART = 5 << 20  # the smallest part that s3fs sends

LARGE = random.Random(1).randbytes(2 * PART + 12_345)
OLD = 1_000_000_000 * 10**9 + 1

# By name: the least and the most of a mode, another's owner, names that must be escaped somewhere, what is longer than one part.
TREE = [
    Entry("empty", FILE | 0o644),
    Entry("small", FILE | 0o600, b"content"),
    Entry("large", FILE | 0o755, LARGE),
    Entry("set-id", FILE | 0o4755, b"#!/bin/sh\n"),
    Entry("closed", FILE, b"nobody"),
    Entry("owned", FILE | 0o640, b"content", uid=1000, gid=1001),
    Entry("old", FILE | 0o644, b"content", mtime_ns=OLD),
    Entry("of 1970", FILE | 0o644, b"content", mtime_ns=10**9 + 5),  # s3fs takes 0 for "not known"
    Entry("a name with spaces", FILE | 0o644, b"1"),
    Entry("Zürich ß.pdf", FILE | 0o644, b"2"),
    Entry("a+b", FILE | 0o644, b"3"),
    Entry("100%", FILE | 0o644, b"4"),
    Entry("%2F%20", FILE | 0o644, b"5"),
    Entry("a&b=c?d#e;f'g\"h", FILE | 0o644, b"6"),
    Entry("fifo", FIFO | 0o640, uid=1000, gid=1001),
    Entry("link", LINK | 0o777, target="small"),
    Entry("dangling", LINK | 0o777, target="../no where/ü%20+"),
    Entry("long-link", LINK | 0o777, target="t" * 1000, uid=1000, gid=1001),
    Entry("to-dir", LINK | 0o777, target="dir/nested"),
    *(Entry(f"dir-{mode:o}", DIRECTORY | mode) for mode in (0o700, 0o711, 0o750, 0o755, 0o770, 0o777, 0o1777, 0o2775)),
    Entry("dir", DIRECTORY | 0o755, uid=1000, gid=1001, mtime_ns=OLD),
    Entry("dir/nested", DIRECTORY | 0o711),
    Entry("dir/nested/file with + and ä", FILE | 0o604, b"nested"),
    Entry("dir/nested/link", LINK | 0o777, target="../../small"),
]
NAMES = [entry.name for entry in TREE]

RENAMED = {"a+b": "100%25", "closed": "dir/nested/closed ä", "link": "dir/link", "fifo": "pipe", "dir-750": "dir-renamed",
           "dir/nested": "moved + ä"}


def change(root):
    """What programs do to the files of others."""
    with open(root / "small", "ab") as file:
        file.write(b" and more")
    with open(root / "large", "r+b") as file:
        file.seek(PART + 7)
        file.write(b"changed")
    (root / "owned").write_bytes(b"new")
    os.chmod(root / "set-id", 0o2711)
    os.chmod(root / "dir-755", 0o1770)
    os.chown(root / "old", 1002, 1003)
    os.chown(root / "dir-777", 1002, 1003)
    os.chown(root / "fifo", 1002, 1003)
    for old, new in RENAMED.items():
        os.rename(root / old, root / new)
    os.symlink("dir", root / "new-link")
    os.replace(root / "new-link", root / "to-dir")
    os.unlink(root / "%2F%20")
    os.rmdir(root / "dir-700")
    os.utime(root / "to-dir", ns=(OLD, OLD), follow_symlinks=False)
    for name in ("small", "large", "owned", "dir", "moved + ä", "dir-renamed"):  # s3fs keeps the seconds of a directory that it renames
        os.utime(root / name, ns=(OLD, OLD))


def changed(entries):
    """What `entries` are after change()."""
    found = {entry.name: entry for entry in entries}

    def now(name, **fields):
        found[name] = dataclasses.replace(found[name], **fields)

    def renamed(old, new):
        for name in [name for name in found if name == old or name.startswith(f"{old}/")]:
            entry = found.pop(name)
            found[new + name[len(old):]] = dataclasses.replace(entry, name=new + name[len(old):])

    now("small", content=b"content and more", mtime_ns=OLD)
    now("large", content=LARGE[:PART + 7] + b"changed" + LARGE[PART + 14:], mtime_ns=OLD)
    now("owned", content=b"new", mtime_ns=OLD)
    now("set-id", mode=FILE | 0o2711)
    now("dir-755", mode=DIRECTORY | 0o1770)
    for name in ("old", "dir-777", "fifo"):
        now(name, uid=1002, gid=1003)
    for old, new in RENAMED.items():
        renamed(old, new)
    now("to-dir", target="dir", mtime_ns=OLD)
    now("dir", mtime_ns=OLD)
    now("moved + ä", mtime_ns=OLD)
    now("dir-renamed", mtime_ns=OLD)
    for name in ("%2F%20", "dir-700"):
        del found[name]
    return list(found.values())


CHANGED = changed(TREE)
CHANGED_NAMES = [entry.name for entry in CHANGED]


@pytest.fixture
def make_s3fs(server, space, tmp_path):
    """make_s3fs(**options) -> S3fsMount of `space`, started."""
    machine.require_fuse()
    machine.require_root()
    machine.require_program("s3fs")
    made = []

    def make_one(**options):
        made.append(S3fsMount(server, space, tmp_path / f"s3fs-{len(made)}", multipart_size=PART >> 20, **options))
        return made[-1].start()

    yield make_one
    for mount in reversed(made):
        mount.stop()


def test_what_s3fs_has_made_is_the_same_tree(make_s3fs, make_mount):
    s3fs = make_s3fs()
    make(s3fs.path, TREE)
    s3fs.remount()
    assert shown(s3fs.path, NAMES) == expected(TREE)
    assert shown(make_mount().path, NAMES) == expected(TREE)


def test_what_is_made_here_is_the_same_tree_in_s3fs(make_s3fs, make_mount):
    mnt = make_mount(posix_metadata="s3fs")
    make(mnt.path, TREE)
    assert shown(make_s3fs().path, NAMES) == expected(TREE)
    mnt.remount(cold=True)
    assert shown(mnt.path, NAMES) == expected(TREE)


def test_what_s3fs_changes_afterwards_is_the_same_tree(make_s3fs, make_mount):
    s3fs = make_s3fs()
    make(s3fs.path, TREE)
    s3fs.remount()
    change(s3fs.path)
    s3fs.remount()
    assert shown(s3fs.path, CHANGED_NAMES) == expected(CHANGED)
    assert shown(make_mount().path, CHANGED_NAMES) == expected(CHANGED)


def test_what_is_changed_here_is_the_same_tree_in_s3fs(make_s3fs, make_mount):
    s3fs = make_s3fs()
    make(s3fs.path, TREE)
    s3fs.stop()
    mnt = make_mount(posix_metadata="s3fs")
    change(mnt.path)
    s3fs.start()
    assert shown(s3fs.path, CHANGED_NAMES) == expected(CHANGED)
    mnt.remount(cold=True)
    assert shown(mnt.path, CHANGED_NAMES) == expected(CHANGED)


def test_what_s3fs_changes_of_ours_is_seen_here(make_s3fs, make_mount):
    mnt = make_mount(posix_metadata="s3fs")
    make(mnt.path, TREE)
    s3fs = make_s3fs()
    change(s3fs.path)
    s3fs.remount()
    assert shown(s3fs.path, CHANGED_NAMES) == expected(CHANGED)
    mnt.remount(cold=True)  # what this host has just written itself it may still believe: S3 tells times in seconds
    assert shown(mnt.path, CHANGED_NAMES) == expected(CHANGED)


def test_what_s3fs_changes_of_what_is_in_awss_words_is_seen_here(make_s3fs, make_mount):
    """s3fs leaves the words that it does not know, and adds its own for what it changes."""
    mnt = make_mount()
    make(mnt.path, TREE)
    s3fs = make_s3fs()
    os.chmod(s3fs / "small", 0o604)
    os.chown(s3fs / "owned", 7, 8)
    os.utime(s3fs / "old", ns=(OLD + 5, OLD + 5))
    os.chmod(s3fs / "dir", 0o705)
    os.chown(s3fs / "dir-777", 7, 8)
    os.rename(s3fs / "dangling", s3fs / "moved")
    with open(s3fs / "set-id", "ab") as file:
        file.write(b"more")
    mnt.remount(cold=True)
    before = expected(TREE)
    for name, changes in (("small", {"mode": oct(FILE | 0o604)}), ("owned", {"owner": (7, 8)}), ("old", {"mtime_ns": OLD + 5}),
                          ("dir", {"mode": oct(DIRECTORY | 0o705)}), ("dir-777", {"owner": (7, 8)})):
        assert Shown.of(mnt / name) == dataclasses.replace(before[name], **changes)
    assert Shown.of(mnt / "moved") == before["dangling"]
    found = (mnt / "set-id").stat()
    assert (oct(found.st_mode), found.st_size) == (before["set-id"].mode, 14) and found.st_mtime_ns > before["set-id"].mtime_ns
    os.chmod(mnt / "small", 0o600)
    mnt.remount(cold=True)
    assert Shown.of(mnt / "small") == before["small"]


def test_they_edit_in_turn(make_s3fs, make_mount):
    mnt = make_mount(posix_metadata="s3fs", ttl="0")
    s3fs = make_s3fs()
    content = b""
    for turn in range(4):
        here = s3fs if turn % 2 == 0 else mnt
        mode = 0o600 + turn
        with open(here / "file", "ab") as file:
            file.write(b"turn %d" % turn)
        content += b"turn %d" % turn
        os.chmod(here / "file", mode)
        os.utime(here / "file", ns=(OLD, OLD + turn))
        os.symlink(f"target-{turn}", here / "new")
        os.rename(here / "new", here / "link")
        s3fs.remount()  # it believes what it knows for 15 minutes
        for mount in (s3fs, mnt):
            found = shown(mount.path, ["file", "link"])
            assert found["file"] == Shown(oct(FILE | mode), (0, 0), len(content), OLD + turn, digest(content)), f"turn {turn}"
            assert found["link"].holds == f"target-{turn}"


def test_a_change_here_leaves_no_old_ctime(make_s3fs, make_mount):
    s3fs = make_s3fs()
    for name in ("file", "other"):
        (s3fs / name).write_bytes(b"content")
        os.utime(s3fs / name, ns=(OLD, OLD))  # s3fs sets the ctime too
    s3fs.stop()
    mnt = make_mount(posix_metadata="s3fs")
    os.chmod(mnt / "file", 0o600)
    (mnt / "other").write_bytes(b"more")
    s3fs.start()
    for name in ("file", "other"):
        assert (s3fs / name).stat().st_ctime_ns > OLD
    assert "user.ctime" not in os.listxattr(mnt / "file")


def test_aws_words_mean_nothing_to_s3fs(make_s3fs, make_mount):
    """Not what anybody wants, but what the README warns of: with the default dialect s3fs sees bytes and names, and no mode, owner, time or type."""
    s3fs = make_s3fs()
    make(s3fs.path, [Entry("file", FILE | 0o4755, b"content", uid=1000, gid=1001, mtime_ns=OLD)])
    s3fs.stop()
    mnt = make_mount()
    with open(mnt / "file", "ab") as file:
        file.write(b" and more")
    os.utime(mnt / "file", ns=(OLD, OLD))
    os.symlink("file", mnt / "link")
    assert Shown.of(mnt / "file") == Shown(oct(FILE | 0o4755), (1000, 1001), 16, OLD, digest(b"content and more"))
    s3fs.start()
    for name, content in (("file", b"content and more"), ("link", b"file")):
        assert (s3fs / name).read_bytes() == content
        found = os.lstat(s3fs / name)
        assert (oct(found.st_mode), found.st_uid, found.st_gid) == (oct(FILE | 0o640), 0, 0) and found.st_mtime > OLD / 10**9


XATTRS = {"user.author": b"Jo", "user.Name with \u00e4": bytes(range(256)), "user.json": b'{"a": "b%2C"}'}
XATTR_TREE = [Entry("file", FILE | 0o640, b"content"), Entry("dir", DIRECTORY | 0o750), Entry("dir/empty", FILE | 0o644)]


def xattrs_of(path):
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def xattrs(root):
    return {entry.name: xattrs_of(root / entry.name) for entry in XATTR_TREE}


def set_xattrs(root):
    make(root, XATTR_TREE)
    for entry in XATTR_TREE:
        for name, value in XATTRS.items():
            os.setxattr(root / entry.name, name, value)


def test_extended_attributes_of_s3fs_are_the_same_here(make_s3fs, make_mount):
    s3fs = make_s3fs(use_xattr=True)
    set_xattrs(s3fs.path)
    s3fs.remount()
    assert xattrs(s3fs.path) == {entry.name: XATTRS for entry in XATTR_TREE}
    mnt = make_mount()
    os.stat(mnt / "file")
    assert xattrs(mnt.path) == {entry.name: XATTRS for entry in XATTR_TREE}


def test_extended_attributes_set_here_are_the_same_in_s3fs(make_s3fs, make_mount):
    mnt = make_mount(posix_metadata="s3fs")
    set_xattrs(mnt.path)
    os.setxattr(mnt / "file", "user.empty", b"")  # s3fs shows it, and makes none such
    s3fs = make_s3fs(use_xattr=True)
    assert xattrs(s3fs.path) == {entry.name: XATTRS for entry in XATTR_TREE} | {"file": XATTRS | {"user.empty": b""}}


def test_extended_attributes_are_changed_in_turn(make_s3fs, make_mount):
    mnt = make_mount(posix_metadata="s3fs", ttl="0")
    s3fs = make_s3fs(use_xattr=True)
    set_xattrs(s3fs.path)
    for name in ("file", "dir"):
        os.setxattr(mnt / name, "user.author", b"Mo")
        os.removexattr(mnt / name, "user.json")
        os.chmod(mnt / name, 0o700)
    with open(mnt / "file", "ab") as file:
        file.write(b"more")
    wanted = XATTRS | {"user.author": b"Mo"}
    del wanted["user.json"]
    s3fs.remount()
    assert xattrs_of(s3fs / "file") == xattrs_of(s3fs / "dir") == wanted
    os.setxattr(s3fs / "file", "user.last", b"s3fs")
    os.removexattr(s3fs / "file", "user.author")
    with open(s3fs / "file", "ab") as file:
        file.write(b" and more")
    os.rename(s3fs / "file", s3fs / "moved")
    del wanted["user.author"]
    assert (mnt / "moved").read_bytes() == b"contentmore and more"
    assert xattrs_of(mnt / "moved") == wanted | {"user.last": b"s3fs"}
