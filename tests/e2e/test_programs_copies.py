"""What copies, moves and removes files, on a mount: rsync and the core utilities, with the options that people use."""

import hashlib
import os
import stat

import pytest

from support import machine
from support.place import not_yet
from support.programs import run

TIME = 1_600_000_000


@pytest.fixture
def tree(tmp_path):
    """Modes and times of their own, names with spaces, an empty file and an empty directory."""
    root = tmp_path / "tree"
    for number in range(24):
        path = root / f"d{number % 3}" / "deep" / f"file {number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(b"%d" % number).digest() * (number * 331 % 3000))
        path.chmod([0o644, 0o600, 0o755, 0o444][number % 4])
    (root / "empty").mkdir(mode=0o750)
    (root / "empty file").touch()
    for number, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        os.utime(path, ns=(TIME * 10**9, TIME * 10**9 + number * 1_001_001_001))
    return root


def names(tree):
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))


def attributes(root, names):
    """{name: (mode, owner, mtime or None for directories, content)}; looked up one by one, not listed."""
    found = {}
    for name in names:
        path, status = root / name, os.stat(root / name)
        directory = stat.S_ISDIR(status.st_mode)
        found[name] = (oct(status.st_mode), status.st_uid, None if directory else status.st_mtime_ns, None if directory else path.read_bytes())
    return found


def assert_same(root, tree):
    assert attributes(root, names(tree)) == attributes(tree, names(tree))
    run("diff", "-r", tree, root)


def rsync(*words):
    """What it says to have changed."""
    machine.require_program("rsync")
    return run("rsync", "--itemize-changes", *words).splitlines()


def test_rsync_moves_nothing_the_second_time(place, tree):
    assert_rsync_moves_nothing_the_second_time(place, "-aH", "--delete", f"{tree}/", f"{place.path}/tree/")
    assert_same(place / "tree", tree)
    place.come_back()
    assert_same(place / "tree", tree)


@pytest.mark.mount_options(attrs="exact")
def test_rsync_moves_nothing_from_a_host_that_knows_nothing(place, tree):
    words = ["-aH", "--delete", f"{tree}/", f"{place.path}/tree/"]
    rsync(*words)
    place.come_back()
    assert rsync(*words) == []


def test_rsync_by_checksum_moves_nothing_from_a_host_that_knows_nothing(place, tree):
    words = ["-r", "--checksum", "--delete", f"{tree}/", f"{place.path}/tree/"]
    assert len(rsync(*words)) >= 25
    place.come_back()
    assert rsync(*words) == []


RSYNC_OPTIONS = [["--inplace", "--no-whole-file"], ["--append-verify"], ["--delay-updates"], ["--partial-dir=.partial", "--fsync"],
                 ["--sparse", "--preallocate"], ["--backup", "--suffix=.old"], ["--temp-dir={place}/temporary"]]


def test_rsync_brings_what_has_changed_in_each_of_its_ways(place, tree):
    (place / "temporary").mkdir()
    ways = {f"copy{number}": ["-a", "--delete", *(option.format(place=place.path) for option in options),
                                f"{tree}/", f"{place.path}/copy{number}/"]
            for number, options in enumerate(RSYNC_OPTIONS)}
    for words in ways.values():
        rsync(*words)
    with open(tree / "d1" / "deep" / "file 10", "ab") as file:
        file.write(b"grown\n")
    (tree / "d2" / "deep" / "file 2").unlink()
    (tree / "new").write_bytes(bytes(100_000))
    for words in ways.values():
        changes = rsync(*words)
        assert [line.split(" ", 1)[1] for line in changes if line.startswith(">f")] == ["new", "d1/deep/file 10"], words
        assert rsync(*words) == [], words
    place.come_back()
    for copy, words in ways.items():
        backup = "--backup" in words
        run("diff", "-r", *(["--exclude=*.old"] if backup else []), tree, place / copy)
        assert (place / copy / "d1" / "deep" / "file 10.old").exists() == backup
    assert os.listdir(place / "temporary") == []


def test_rsync_removes_what_it_has_sent_and_takes_from_the_mount(place, tree, tmp_path):
    rsync("-a", f"{tree}/", f"{place.path}/tree/")
    rsync("-a", "--remove-source-files", f"{place.path}/tree/", f"{tmp_path}/taken/")
    assert run("find", place / "tree", "-type", "f") == ""
    assert_same(tmp_path / "taken", tree)


def test_rsync_by_its_own_protocol_between_two_mounted_directories(place, tree):
    run("cp", "-a", tree, place / "tree")
    assert len(rsync("-a", "-c", f"{place.path}/tree/", f"{place.path}/copy/")) >= 25
    place.come_back()
    assert_same(place / "copy", tree)


def test_rsync_with_symbolic_links_moves_nothing_the_second_time(place, tree):
    os.symlink("d0/deep/file 0", tree / "link")
    os.symlink("/nowhere", tree / "dangling")
    os.symlink("d1", tree / "to a directory")
    assert_rsync_moves_nothing_the_second_time(place, "-a", "--delete", f"{tree}/", f"{place.path}/tree/")
    assert os.readlink(place / "tree" / "dangling") == "/nowhere"


def test_rsync_with_all_attributes_moves_nothing_the_second_time(place, tree):
    os.setxattr(tree / "d1" / "deep" / "file 1", "user.origin", b"https://example.org/\xff")
    assert_rsync_moves_nothing_the_second_time(place, "-aHAX", "--delete", f"{tree}/", f"{place.path}/tree/")
    assert os.getxattr(place / "tree" / "d1" / "deep" / "file 1", "user.origin") == b"https://example.org/\xff"


@not_yet("hard links")
def test_rsync_with_hard_links_moves_nothing_the_second_time(place, tree):
    os.link(tree / "d0" / "deep" / "file 3", tree / "second name")
    assert_rsync_moves_nothing_the_second_time(place, "-aH", "--delete", f"{tree}/", f"{place.path}/tree/")
    assert os.path.samefile(place / "tree" / "d0" / "deep" / "file 3", place / "tree" / "second name")


def assert_rsync_moves_nothing_the_second_time(place, *words):
    assert len(rsync(*words)) >= 25
    assert rsync(*words) == []
    place.come_back(cold=False)
    assert rsync(*words) == []


def test_cp_a_within_the_mount(place, tree):
    run("cp", "-a", tree, place / "tree")
    run("cp", "-a", place / "tree", place / "copy")
    place.come_back()
    assert_same(place / "copy", tree)
    (place / "copy" / "d0" / "deep" / "file 0").write_bytes(b"newer")
    run("cp", "-a", "-u", place / "tree" / ".", place / "copy")
    assert (place / "copy" / "d0" / "deep" / "file 0").read_bytes() == b"newer"
    run("cp", "-f", "--backup=numbered", tree / "d1" / "deep" / "file 1", place / "copy" / "d0" / "deep" / "file 0")
    assert (place / "copy" / "d0" / "deep" / "file 0.~1~").read_bytes() == b"newer"
    run("cp", "--sparse=always", "--reflink=auto", tree / "d1" / "deep" / "file 10", place / "sparse")
    run("cmp", tree / "d1" / "deep" / "file 10", place / "sparse")
    run("cp", "--parents", "d2/deep/file 5", place.path, cwd=tree)
    run("cmp", tree / "d2" / "deep" / "file 5", place / "d2" / "deep" / "file 5")


def test_cp_makes_symbolic_links(place, tree):
    run("cp", "-s", tree / "empty file", place / "symbolic")
    run("cp", "-d", place / "symbolic", place / "copied")
    run("cp", "-L", place / "symbolic", place / "followed")
    place.come_back()
    assert os.readlink(place / "symbolic") == os.readlink(place / "copied") == str(tree / "empty file")
    assert not (place / "followed").is_symlink()


@not_yet("hard links")
def test_cp_makes_hard_links(place, tree):
    run("cp", "-a", tree, place / "tree")
    run("cp", "-al", place / "tree", place / "linked")
    assert os.path.samefile(place / "tree" / "empty file", place / "linked" / "empty file")


def test_mv_into_out_of_and_within_the_mount(place, tree, tmp_path):
    wanted = attributes(tree, names(tree))
    run("mv", tree, place / "tree")  # from another file system: a copy, and then a removal
    assert not tree.exists() and attributes(place / "tree", wanted) == wanted
    run("mv", place / "tree", place / "moved")
    place.come_back()
    assert not (place / "tree").exists() and attributes(place / "moved", wanted) == wanted
    (place / "target").write_bytes(b"target")
    run("mv", "-n", place / "target", place / "moved" / "empty file")
    assert (place / "moved" / "empty file").read_bytes() == b"" and (place / "target").exists()
    run("mv", "-b", place / "target", place / "moved" / "empty file")
    assert (place / "moved" / "empty file").read_bytes() == b"target" and (place / "moved" / "empty file~").read_bytes() == b""
    run("mv", "-t", place.path, place / "moved" / "empty file", place / "moved" / "d0")
    assert (place / "d0" / "deep" / "file 0").exists() and (place / "empty file").exists()
    run("mv", place / "moved", tmp_path / "out")
    assert os.listdir(place.path) != [] and (tmp_path / "out" / "d1" / "deep" / "file 1").exists()


def test_install_sets_modes_owners_and_directories(place, tree):
    machine.require_root()
    run("install", "-D", "-m", "0751", "-o", "65534", "-g", "65534", tree / "d0" / "deep" / "file 0", place / "usr" / "bin" / "tool")
    run("install", "-d", "-m", "0700", place / "private")
    run("install", "-p", "-m", "0644", "-b", tree / "d1" / "deep" / "file 1", place / "usr" / "bin" / "tool")
    run("install", "-C", "-m", "0644", tree / "d1" / "deep" / "file 1", place / "usr" / "bin" / "tool")
    place.come_back()
    tool, backup = os.stat(place / "usr" / "bin" / "tool"), os.stat(place / "usr" / "bin" / "tool~")
    assert (tool.st_mode & 0o7777, tool.st_uid, tool.st_mtime_ns) == (0o644, 0, os.stat(tree / "d1" / "deep" / "file 1").st_mtime_ns)
    assert (backup.st_mode & 0o7777, backup.st_uid, backup.st_gid) == (0o751, 65534, 65534)
    assert os.stat(place / "private").st_mode & 0o7777 == 0o700


def test_small_tools_that_change_files_in_place(place):
    path = place / "file"
    path.write_text("b 2\na 1\nc 3\n")
    run("sort", "-o", path, path)
    run("sh", "-c", "echo d 4 | tee -a file >/dev/null", cwd=place.path)
    run("truncate", "-s", "+4", path)
    run("dd", "of=file", "conv=notrunc", "bs=1", "seek=16", "status=none", input="e 5\n", cwd=place.path)
    assert path.read_text() == "a 1\nb 2\nc 3\nd 4\ne 5\n"
    run("touch", "-d", "@1234567890.123456789", path)
    run("touch", "-r", path, place / "other")
    place.come_back()
    assert os.stat(place / "other").st_mtime_ns == os.stat(path).st_mtime_ns == 1234567890123456789
    run("chmod", "-R", "u=rwX,go=", place.path)
    assert os.stat(path).st_mode & 0o777 == 0o600
    made = run("mktemp", "-p", place.path, "tmp.XXXXXXXX").strip()
    assert os.stat(made).st_mode & 0o777 == 0o600
    run("shred", "-u", "-n", "1", made)
    assert sorted(os.listdir(place.path)) == ["file", "other"]


def test_fallocate_allocates_and_makes_holes(place):
    path = place / "file"
    path.write_bytes(b"x" * 20_000)
    run("fallocate", "--keep-size", "-l", "40000", path)
    assert path.stat().st_size == 20_000
    run("fallocate", "-l", "40000", path)
    run("fallocate", "--punch-hole", "-o", "4096", "-l", "8192", path)
    run("fallocate", "--zero-range", "-o", "19000", "-l", "100", path)
    place.come_back()
    assert path.read_bytes() == b"x" * 4096 + bytes(8192) + b"x" * (19_000 - 12_288) + bytes(100) + b"x" * 900 + bytes(20_000)


def test_what_was_listed_has_its_own_mode_once_it_is_opened(place):
    (place / "empty").touch(mode=0o600)
    (place / "full").write_bytes(b"x")
    (place / "full").chmod(0o600)
    (place / "directory").mkdir(mode=0o700)
    place.come_back()
    run("ls", "-l", place.path)
    run("cat", place / "full", place / "empty")
    run("ls", place / "directory")
    modes = {name: oct(os.stat(place / name).st_mode & 0o777) for name in ("full", "empty", "directory")}
    assert modes == {"full": "0o600", "empty": "0o600", "directory": "0o700"}


def test_find_acts_on_what_it_finds(place, tree):
    run("cp", "-a", tree, place / "tree")
    run("touch", place / "stamp")
    (place / "tree" / "d1" / "deep" / "newer").write_bytes(b"x")
    assert run("find", place / "tree", "-type", "f", "-newer", place / "stamp").split("/")[-1] == "newer\n"
    assert len(run("find", place / "tree", "-type", "f", "-mtime", "+100", "-perm", "-100").splitlines()) == 6
    run("find", place / "tree", "-name", "file 1*", "-exec", "rm", "{}", "+")
    run("find", place / "tree", "-empty", "-delete")
    run("sh", "-c", "find . -type f -print0 | xargs -0 -n 3 -P 4 chmod 0640", cwd=place.path)
    place.come_back()
    left = [path for path in run("find", place / "tree", "-type", "f").splitlines()]
    assert len(left) == 24 - 11 - 1 + 1  # "file 0" is empty
    assert {os.stat(path).st_mode & 0o777 for path in left if open(path, "rb").read() is not None} == {0o640}
    run("rm", "-rf", place / "tree")
    assert sorted(os.listdir(place.path)) == ["stamp"]


def test_what_is_made_in_a_directory_of_a_group_belongs_to_the_group(place):
    machine.require_root()
    run("install", "-d", "-m", "2775", "-g", "65534", place / "shared")
    run("sh", "-c", "echo x > shared/file && mkdir shared/directory && cp shared/file shared/directory/copy", cwd=place.path)
    assert {os.stat(place / "shared" / name).st_gid for name in ("file", "directory", "directory/copy")} == {65534}
    assert os.stat(place / "shared" / "directory").st_mode & stat.S_ISGID


def test_holes_are_found_by_lseek(place):
    path = place / "sparse"
    run("truncate", "-s", "1M", path)
    run("dd", "of=sparse", "conv=notrunc", "bs=4096", "seek=128", "status=none", input="data", cwd=place.path)
    with open(path, "rb") as file:
        assert os.lseek(file.fileno(), 0, os.SEEK_DATA) == 128 * 4096
