"""What packs, unpacks, compresses and splits files, on a mount."""

import hashlib
import os
import shutil
import time

import pytest

from support import machine
from support.place import not_yet
from support.programs import run

TIME = 1_600_000_000


@pytest.fixture
def tree(tmp_path):
    """A few files: empty, large enough for several blocks, executable, read-only, oddly named; with times of their own."""
    root = tmp_path / "tree"
    for number in range(20):
        path = root / f"d{number % 3}" / f"file {number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(b"%d" % number).digest() * (number * 997 % 6000))
    (root / "d0" / "ünï & <odd>").write_bytes(b"odd")
    (root / "run.sh").write_bytes(b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "read-only").write_bytes(b"ro")
    (root / "read-only").chmod(0o444)
    (root / "empty").mkdir()
    for number, path in enumerate(sorted(root.rglob("*"))):
        os.utime(path, (TIME + number, TIME + number))
    return root


def test_tar_packs_and_unpacks_in_place(place, tree):
    run("cp", "-a", tree, place / "tree")
    compressions = ("--gzip", "--bzip2", "--xz")
    for compression in compressions:
        run("tar", "-c", compression, "-f", place / f"{compression}.tar", "-C", place.path, "tree")
    place.come_back()
    for compression in compressions:
        archive, out = place / f"{compression}.tar", place / compression
        run("tar", "-d", "-f", archive, "-C", place.path)  # modes, owners, times and contents
        out.mkdir()
        run("tar", "-x", "-p", "-f", archive, "-C", out)
    place.come_back()
    for compression in compressions:
        run("tar", "-d", "-f", place / f"{compression}.tar", "-C", place / compression)
        run("diff", "-r", tree, place / compression / "tree")


def test_tar_changes_an_archive_in_place(place, tree):
    archive = place / "tree.tar"
    run("tar", "-c", "-f", archive, "-C", tree, "d0", "d1")
    run("tar", "-r", "-f", archive, "-C", tree, "run.sh")
    run("tar", "--delete", "-f", archive, "d1")
    run("tar", "-u", "-f", archive, "-C", tree, "read-only", "run.sh")
    run("tar", "-A", "-f", archive, _archive_of(tree / "d2", place / "other.tar"))
    place.come_back()
    names = run("tar", "-t", "-f", archive).splitlines()
    assert names.count("run.sh") == 1 and "read-only" in names and not any(name.startswith("d1") for name in names)
    assert sum(name.startswith("./file") for name in names) == 6


def _archive_of(directory, archive):
    run("tar", "-c", "-f", archive, "-C", directory, ".")
    return archive


def test_incremental_tar_takes_only_what_has_changed(place, tree):
    assert_incremental_tar_takes_one_file(place, tree, cold=False)


@not_yet("inode numbers that a host with a new cache gives again")
@pytest.mark.mount_options(attrs="exact")
def test_incremental_tar_takes_only_what_has_changed_on_a_host_that_knows_nothing(place, tree):
    assert_incremental_tar_takes_one_file(place, tree, cold=True)


def assert_incremental_tar_takes_one_file(place, tree, cold):
    """tar compares inode numbers and times with those of its last run."""
    run("cp", "-a", tree, place / "tree")
    incremental = ["tar", "-c", "--no-check-device", "-C", place.path, "-g", place / "snapshot"]
    run(*incremental, "-f", place / "0.tar", "tree")
    place.come_back(cold)
    (place / "tree" / "d1" / "file 1.bin").write_bytes(b"changed")
    run(*incremental, "-f", place / "1.tar", "tree")
    names = run("tar", "-t", "-f", place / "1.tar").splitlines()
    assert [name for name in names if not name.endswith("/")] == ["tree/d1/file 1.bin"]


def test_tar_extracts_over_what_is_there(place, tree):
    run("cp", "-a", tree, place / "tree")
    (place / "tree" / "d0" / "file 0.bin").write_bytes(b"other")
    run("tar", "-c", "-f", place / "new.tar", "-C", tree.parent, "tree")
    run("tar", "-x", "-f", place / "new.tar", "-C", place.path)
    run("diff", "-r", tree, place / "tree")
    run("tar", "-x", "--unlink-first", "-f", place / "new.tar", "-C", place.path, "tree/run.sh", "tree/read-only")
    run("diff", "-r", tree, place / "tree")
    assert not os.access(place / "tree" / "read-only", os.X_OK) and os.access(place / "tree" / "run.sh", os.X_OK)


def test_zip_makes_changes_and_tests_an_archive(place, tree):
    machine.require_program("zip")
    run("cp", "-a", tree, place / "tree")
    run("zip", "-q", "-r", "a.zip", "tree", cwd=place.path)
    (place / "tree" / "new").write_bytes(b"new")
    run("zip", "-q", "-u", "-r", "a.zip", "tree", cwd=place.path)  # into a temporary file, which it renames
    run("zip", "-q", "-d", "a.zip", "tree/d1/*", cwd=place.path)
    place.come_back()
    machine.require_program("unzip")
    run("unzip", "-q", "-t", place / "a.zip")
    run("unzip", "-q", place / "a.zip", "-d", place / "out")
    place.come_back()
    shutil.rmtree(place / "tree" / "d1")
    run("diff", "-r", place / "tree", place / "out" / "tree")
    for path in (place / "out").rglob("*"):
        if path.is_file() and path.name != "new":
            source = tree / path.relative_to(place / "out" / "tree")
            assert (path.stat().st_mode, int(path.stat().st_mtime)) == (source.stat().st_mode, int(source.stat().st_mtime))


COMPRESSORS = {"gzip": "gz", "bzip2": "bz2", "xz": "xz", "zstd": "zst"}


def test_compressors_replace_a_file_and_keep_its_attributes(place):
    data = hashlib.sha256(b"data").digest() * 20_000
    words = {program: [program, "-q", "--rm"] if program == "zstd" else [program] for program in COMPRESSORS}
    paths = {program: place / program / "file" for program in COMPRESSORS}
    for program, path in paths.items():
        machine.require_program(program)
        path.parent.mkdir()
        path.write_bytes(data)
        path.chmod(0o640)
        os.utime(path, (TIME, TIME))
        run(*words[program], path)
    place.come_back()
    for program, path in paths.items():
        packed = path.with_suffix(f".{COMPRESSORS[program]}")
        assert packed.stat().st_mode & 0o777 == 0o640 and packed.stat().st_size < len(data), program
        assert int(packed.stat().st_mtime) == TIME and os.listdir(path.parent) == [packed.name], program
        run(*words[program], "-d", packed)
    place.come_back()
    for program, path in paths.items():
        assert path.stat().st_mode & 0o777 == 0o640 and int(path.stat().st_mtime) == TIME, program
        assert os.listdir(path.parent) == ["file"] and path.read_bytes() == data, program


def test_split_and_cat(place):
    data = os.urandom(3_000_000)
    (place / "file").write_bytes(data)
    run("split", "-b", "200k", "-d", place / "file", place / "part.")
    run("sh", "-c", "cat part.* > whole && cmp file whole && sha256sum file part.* > SUMS", cwd=place.path)
    place.come_back()
    assert len(list(place.path.glob("part.*"))) == 15
    run("sha256sum", "--quiet", "-c", "SUMS", cwd=place.path)
    run("cmp", place / "file", place / "whole")
    run("csplit", "-s", "-f", place / "section.", "-", "/^3/", "{*}", input="1\n2\n3\n4\n30\n")
    assert [path.read_text() for path in sorted(place.path.glob("section.*"))] == ["1\n2\n", "3\n4\n", "30\n"]


def test_ar_keeps_members(place):
    machine.require_program("ar")
    for number in range(3):
        (place / f"m{number}").write_bytes(b"%d" % number * 1000)
    run("ar", "rc", "a.a", "m0", "m1", cwd=place.path)
    run("ar", "r", "a.a", "m2", cwd=place.path)
    run("ar", "d", "a.a", "m0", cwd=place.path)
    place.come_back()
    assert run("ar", "t", place / "a.a").split() == ["m1", "m2"] and run("ar", "p", place / "a.a", "m2") == "2" * 1000


@pytest.mark.mount_options(attrs="exact")
def test_tar_packs_modes_and_times_on_a_host_that_knows_nothing(place, tree):
    run("cp", "-a", tree, place / "tree")
    place.come_back()
    run("tar", "-c", "-f", place / "tree.tar", "-C", place.path, "tree")
    run("tar", "-d", "-f", place / "tree.tar", "-C", tree.parent)


def test_ctime_is_the_time_of_the_change_and_no_other(place):
    path = place / "file"
    run("touch", "-d", "@1600000000", path)
    assert path.stat().st_mtime == 1_600_000_000 and abs(path.stat().st_ctime - time.time()) < 60
    before = path.stat().st_ctime_ns
    place.come_back(cold=False)
    assert path.stat().st_ctime_ns == before


def test_tar_unpacks_symbolic_links(place, tree):
    os.symlink("d0/file 0.bin", tree / "link")
    os.symlink("nowhere/at all", tree / "dangling")
    os.symlink("d1", tree / "to a directory")
    unpack(place, tree)
    assert os.readlink(place / "tree" / "dangling") == "nowhere/at all"
    assert (place / "tree" / "to a directory" / "file 1.bin").read_bytes() == (tree / "d1" / "file 1.bin").read_bytes()


@not_yet("hard links")
def test_tar_unpacks_hard_links(place, tree):
    os.link(tree / "d1" / "file 1.bin", tree / "second name")
    unpack(place, tree)
    assert os.path.samefile(place / "tree" / "d1" / "file 1.bin", place / "tree" / "second name")


def unpack(place, tree):
    run("tar", "-c", "-f", place / "tree.tar", "-C", tree.parent, "tree")
    run("tar", "-x", "-p", "-f", place / "tree.tar", "-C", place.path)
    place.come_back()
    run("tar", "-d", "-f", place / "tree.tar", "-C", place.path)


def test_zip_keeps_symbolic_links(place, tree):
    machine.require_program("zip")
    os.symlink("d0/file 0.bin", tree / "link")
    run("zip", "-q", "-r", "--symlinks", place / "a.zip", ".", cwd=tree)
    run("unzip", "-q", place / "a.zip", "-d", place / "out")
    place.come_back()
    assert (place / "out" / "link").is_symlink() and os.readlink(place / "out" / "link") == "d0/file 0.bin"
