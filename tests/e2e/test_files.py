"""Files, directories and their errors. The reference is a directory of the machine's own file system: what a call does there, it does
on the mount."""

import fcntl
import itertools
import os
import subprocess
import sys
import threading
from errno import EBADF, EEXIST, EINVAL, ENOSYS, EOPNOTSUPP, EPERM

import pytest

from support.errnos import fails_with, outcome
from support.syscalls import RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2


@pytest.fixture
def same(folder, tmp_path):
    """same(function): function(directory) must come out alike on the mount and in a local directory; returns what it came to."""
    local = tmp_path / "reference"
    local.mkdir()

    def compare(function):
        expected = outcome(function, local)
        assert outcome(function, folder) == expected
        return expected

    return compare


ACCESS = {"O_RDONLY": os.O_RDONLY, "O_WRONLY": os.O_WRONLY, "O_RDWR": os.O_RDWR}
CREATE = {"": 0, "O_CREAT": os.O_CREAT, "O_CREAT|O_EXCL": os.O_CREAT | os.O_EXCL}
MORE = {"": 0, "O_TRUNC": os.O_TRUNC, "O_APPEND": os.O_APPEND, "O_TRUNC|O_APPEND": os.O_TRUNC | os.O_APPEND}
OPEN_FLAGS = [pytest.param(ACCESS[a] | CREATE[c] | MORE[m], there,
                           id="|".join(filter(None, (a, c, m))) + ("-there" if there else "-absent"))
              for a, c, m, there in itertools.product(ACCESS, CREATE, MORE, (True, False))
              if not (a == "O_RDONLY" and "O_TRUNC" in m)]  # POSIX leaves that one undefined


@pytest.mark.parametrize("flags, there", OPEN_FLAGS)
def test_every_combination_of_open_flags(same, flags, there):
    def use(directory):
        path = directory / "file"
        if there:
            path.write_bytes(b"content")
        descriptor = os.open(path, flags, 0o640)
        try:
            seen = [outcome(os.write, descriptor, b"new"), outcome(os.lseek, descriptor, 0, os.SEEK_SET),
                    outcome(os.read, descriptor, 100), outcome(lambda: os.fstat(descriptor).st_size)]
        finally:
            os.close(descriptor)
        return seen, path.read_bytes(), oct(path.stat().st_mode)

    same(use)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 131072, 131073, 1 << 20, (9 << 20) + 7])
def test_sizes_read_back_byte_for_byte(folder, folder_space, size):
    data = os.urandom(size)
    (folder / "file").write_bytes(data)
    assert (folder / "file").read_bytes() == data
    assert (folder / "file").stat().st_size == size
    assert folder_space.get("file") == data


@pytest.mark.parametrize("offset", [0, 1, 4095, 4096, 99_999, 100_000, 150_000])
def test_pwrite_and_pread_at_any_offset(same, offset):
    def use(directory):
        path = directory / "file"
        path.write_bytes(bytes(range(250)) * 400)
        descriptor = os.open(path, os.O_RDWR)
        try:
            written = os.pwrite(descriptor, b"0123456789" * 700, offset)
            seen = [os.pread(descriptor, 5000, max(0, at)) for at in (0, offset - 3, offset + 6999, offset + 7000, 1 << 30)]
        finally:
            os.close(descriptor)
        return written, seen, path.read_bytes()

    same(use)


def test_a_hole_reads_as_zeros(same):
    def use(directory):
        with open(directory / "file", "wb") as file:
            file.write(b"begin")
            file.seek(1_000_000)
            file.write(b"end")
        return (directory / "file").read_bytes()

    assert same(use)[1] == b"begin" + bytes(999_995) + b"end"


@pytest.mark.parametrize("size", [0, 1, 3, 10, 200_000])
def test_truncate_by_path(same, size):
    def use(directory):
        (directory / "file").write_bytes(b"content")
        os.truncate(directory / "file", size)
        return (directory / "file").read_bytes()

    same(use)


@pytest.mark.parametrize("size", [0, 3, 200_000])
def test_ftruncate_of_an_open_file_and_writing_on(same, size):
    def use(directory):
        with open(directory / "file", "w+b", buffering=0) as file:
            file.write(b"content")
            os.ftruncate(file.fileno(), size)
            after = os.fstat(file.fileno()).st_size
            file.write(b"more")
        return after, (directory / "file").read_bytes()

    same(use)


def test_truncate_of_what_is_not_a_file(same):
    assert same(lambda directory: os.truncate(directory / "missing", 0)) == ("error", "ENOENT")
    assert same(lambda directory: os.truncate(directory, 0)) == ("error", "EISDIR")


def test_append_writes_go_to_the_end_whoever_writes(folder):
    path = folder / "log"
    with open(path, "ab", buffering=0) as one, open(path, "ab", buffering=0) as other:
        for number in range(20):
            (one if number % 2 else other).write(b"%02d\n" % number)
    assert path.read_bytes() == b"".join(b"%02d\n" % number for number in range(20))


def test_a_file_just_created_is_there_for_everyone_on_the_mount_before_it_is_closed(folder):
    with open(folder / "file", "wb", buffering=0) as writer:
        writer.write(b"early")
        assert (folder / "file").read_bytes() == b"early"
        assert (folder / "file").stat().st_size == 5
        assert os.listdir(folder) == ["file"]


def test_fsync_of_files_and_directories(folder, folder_space):
    with open(folder / "file", "wb", buffering=0) as writer:
        writer.write(b"synced")
        os.fsync(writer.fileno())
        assert folder_space.get("file") == b"synced"
        os.fdatasync(writer.fileno())
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def test_an_unlinked_file_stays_readable_and_writable_and_never_comes_back(folder, folder_space):
    with open(folder / "file", "w+b", buffering=0) as file:
        file.write(b"content")
        os.fsync(file.fileno())
        os.unlink(folder / "file")
        assert os.listdir(folder) == [] and folder_space.names() == [""]
        file.write(b" and more")
        file.seek(0)
        assert file.read() == b"content and more"
        assert os.fstat(file.fileno()).st_nlink == 0
    assert os.listdir(folder) == [] and folder_space.names() == [""]
    os.rmdir(folder)


def test_an_unlinked_name_can_be_used_again_while_the_old_file_is_open(folder, folder_space):
    with open(folder / "file", "w+b", buffering=0) as old:
        old.write(b"old")
        os.unlink(folder / "file")
        (folder / "file").write_bytes(b"new")
        old.seek(0)
        assert old.read() == b"old"
    assert (folder / "file").read_bytes() == b"new" and folder_space.get("file") == b"new"


def test_mkdir_makes_a_marker_and_rmdir_takes_it_away(folder, folder_space):
    os.mkdir(folder / "sub", 0o750)
    assert folder_space.get("sub/") == b""
    assert (folder / "sub").stat().st_mode & 0o7777 == 0o750
    os.rmdir(folder / "sub")
    assert folder_space.names() == [""] and not (folder / "sub").exists()


DIRECTORY_ERRORS = {
    "mkdir over a directory": (lambda d: os.mkdir(d / "dir"), "EEXIST"),
    "mkdir over a file": (lambda d: os.mkdir(d / "file"), "EEXIST"),
    "mkdir below nothing": (lambda d: os.mkdir(d / "no" / "sub"), "ENOENT"),
    "mkdir below a file": (lambda d: os.mkdir(d / "file" / "sub"), "ENOTDIR"),
    "rmdir of a full directory": (lambda d: os.rmdir(d / "dir"), "ENOTEMPTY"),
    "rmdir of nothing": (lambda d: os.rmdir(d / "no"), "ENOENT"),
    "rmdir of a file": (lambda d: os.rmdir(d / "file"), "ENOTDIR"),
    "unlink of a directory": (lambda d: os.unlink(d / "dir"), "EISDIR"),
    "unlink of nothing": (lambda d: os.unlink(d / "no"), "ENOENT"),
    "listing a file": (lambda d: os.listdir(d / "file"), "ENOTDIR"),
    "listing nothing": (lambda d: os.listdir(d / "no"), "ENOENT"),
    "open below a file": (lambda d: os.open(d / "file" / "x", os.O_RDONLY), "ENOTDIR"),
    "write-open of a directory": (lambda d: os.open(d / "dir", os.O_WRONLY), "EISDIR"),
    "create over a directory": (lambda d: os.open(d / "dir", os.O_CREAT | os.O_WRONLY), "EISDIR"),
    "O_DIRECTORY on a file": (lambda d: os.open(d / "file", os.O_DIRECTORY), "ENOTDIR"),
    "a slash behind a file": (lambda d: os.stat(f"{d}/file/"), "ENOTDIR"),
    "stat of nothing": (lambda d: os.stat(d / "no"), "ENOENT"),
    "rename of nothing": (lambda d: os.rename(d / "no", d / "new"), "ENOENT"),
    "rename of a file over a directory": (lambda d: os.rename(d / "file", d / "empty"), "EISDIR"),
    "rename of a directory over a file": (lambda d: os.rename(d / "dir", d / "file"), "ENOTDIR"),
    "rename of a directory into itself": (lambda d: os.rename(d / "dir", d / "dir" / "in"), "EINVAL"),
    "rename below nothing": (lambda d: os.rename(d / "file", d / "no" / "file"), "ENOENT"),
    "negative size": (lambda d: os.truncate(d / "file", -1), "EINVAL"),
    "reading a directory": (lambda d: open(d / "dir", "rb").close(), "EISDIR"),
    "RENAME_NOREPLACE over a file": (lambda d: renameat2(d / "file", d / "other", RENAME_NOREPLACE), "EEXIST"),
}


@pytest.mark.parametrize("case", DIRECTORY_ERRORS)
def test_errors_are_the_ones_of_a_local_file_system(same, case):
    call, expected = DIRECTORY_ERRORS[case]

    def use(directory):
        (directory / "dir").mkdir()
        (directory / "empty").mkdir()
        (directory / "dir" / "inner").write_bytes(b"x")
        (directory / "file").write_bytes(b"x")
        (directory / "other").write_bytes(b"y")
        call(directory)

    assert same(use) == ("error", expected)


def test_descriptors_keep_their_access_mode(folder):
    (folder / "file").write_bytes(b"x")
    reader, writer = os.open(folder / "file", os.O_RDONLY), os.open(folder / "file", os.O_WRONLY)
    with fails_with(EBADF):
        os.write(reader, b"y")
    with fails_with(EBADF):
        os.read(writer, 1)
    with fails_with(EINVAL):
        os.ftruncate(reader, 0)
    os.close(reader)
    os.close(writer)


def test_rename_moves_bytes_and_object(folder, folder_space):
    (folder / "old").write_bytes(b"content")
    (folder / "sub").mkdir()
    os.rename(folder / "old", folder / "sub" / "new")
    assert (folder / "sub" / "new").read_bytes() == b"content"
    assert not (folder / "old").exists()
    assert folder_space.names() == ["", "sub/", "sub/new"] and folder_space.get("sub/new") == b"content"


def test_rename_over_an_existing_file_replaces_it(folder, folder_space):
    (folder / "new").write_bytes(b"new")
    (folder / "target").write_bytes(b"the old target")
    with open(folder / "target", "rb") as reader:
        os.rename(folder / "new", folder / "target")
        assert reader.read() == b"the old target"  # who has it open keeps what it opened
    assert (folder / "target").read_bytes() == b"new" and folder_space.get("target") == b"new"
    assert os.listdir(folder) == ["target"]


def test_rename_of_a_file_that_is_being_written(folder, folder_space):
    with open(folder / "temporary", "wb", buffering=0) as writer:
        writer.write(b"first ")
        os.rename(folder / "temporary", folder / "final")
        writer.write(b"second")
    assert (folder / "final").read_bytes() == b"first second"
    assert folder_space.names() == ["", "final"] and folder_space.get("final") == b"first second"


def test_rename_onto_itself_changes_nothing(folder, folder_space):
    (folder / "file").write_bytes(b"content")
    os.rename(folder / "file", folder / "file")
    assert (folder / "file").read_bytes() == b"content" and folder_space.names() == ["", "file"]


def test_rename_noreplace_moves_when_the_target_is_free(folder, folder_space):
    (folder / "file").write_bytes(b"content")
    renameat2(folder / "file", folder / "moved", RENAME_NOREPLACE)
    assert folder_space.names() == ["", "moved"]


def test_exchange_is_refused(folder):
    (folder / "a").write_bytes(b"a")
    (folder / "b").write_bytes(b"b")
    with fails_with(EINVAL):
        renameat2(folder / "a", folder / "b", RENAME_EXCHANGE)
    assert (folder / "a").read_bytes() == b"a"


def test_what_an_object_cannot_be_is_refused(folder):
    (folder / "file").write_bytes(b"x")
    with fails_with(EPERM, EOPNOTSUPP, ENOSYS):
        os.link(folder / "file", folder / "hard")
    assert os.listdir(folder) == ["file"]


def test_statfs(folder):
    answer = os.statvfs(folder)
    assert answer.f_namemax == 255
    assert answer.f_bsize > 0 and answer.f_blocks > 0 and 0 < answer.f_bavail <= answer.f_blocks


def test_exclusive_create_is_settled_within_the_mount(folder):
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    with fails_with(EEXIST):
        os.open(folder / "lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.close(descriptor)
    with fails_with(EEXIST):
        os.open(folder / "lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)


def test_inode_numbers_and_types_agree_between_readdir_and_stat(folder):
    (folder / "dir").mkdir()
    (folder / "file").write_bytes(b"x")
    with os.scandir(folder) as entries:
        for entry in entries:
            assert entry.inode() == os.stat(entry.path).st_ino
            assert entry.is_dir(follow_symlinks=False) == (entry.name == "dir")


def test_dup_and_close_in_any_order(folder):
    descriptor = os.open(folder / "file", os.O_CREAT | os.O_RDWR)
    other = os.dup(descriptor)
    os.write(descriptor, b"one")
    os.close(descriptor)
    os.write(other, b"two")
    os.close(other)
    assert (folder / "file").read_bytes() == b"onetwo"


def test_locks_are_kept_within_the_mount(folder):
    with open(folder / "file", "wb") as one, open(folder / "file", "wb") as other:
        fcntl.flock(one, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


# In a process of its own: a page fault that waits for the daemon holds Python's lock, and the watchdog could not run.
MMAP_PROGRAM = """
import mmap, sys
with open(sys.argv[1], "r+b") as file:
    with mmap.mmap(file.fileno(), 0) as view:
        assert view[100_000:100_004] == b"wxyz", view[100_000:100_004]
        view[50_000:50_003] = b"NEW"
        view.flush()
"""


def test_shared_memory_maps(folder, folder_space):
    data = bytearray(bytes(100_000) + b"wxyz" + bytes(100_000))
    (folder / "file").write_bytes(data)
    subprocess.run([sys.executable, "-c", MMAP_PROGRAM, folder / "file"], check=True, timeout=60)
    data[50_000:50_003] = b"NEW"
    assert (folder / "file").read_bytes() == data and folder_space.get("file") == data


def test_copies_by_the_kernel(folder):
    data = os.urandom(300_000)
    (folder / "from").write_bytes(data)
    with open(folder / "from", "rb") as source, open(folder / "to", "wb") as target:
        done = 0
        while done < len(data):
            copied = os.copy_file_range(source.fileno(), target.fileno(), len(data) - done)
            assert copied > 0
            done += copied
    assert (folder / "to").read_bytes() == data


def test_space_can_be_reserved(folder):
    with open(folder / "file", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 100_000)
    assert (folder / "file").read_bytes() == bytes(100_000)


def test_a_directory_that_is_read_while_it_changes_shows_what_stayed(folder):
    for number in range(300):
        (folder / f"stay-{number:03}").write_bytes(b"")
        if number < 30:
            (folder / f"go-{number:03}").write_bytes(b"")
    seen = []
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            seen.append(entry.name)
            if count < 30:
                os.unlink(folder / f"go-{count:03}")
    assert sorted(name for name in seen if name.startswith("stay")) == [f"stay-{number:03}" for number in range(300)]


@pytest.mark.parametrize("call", [os.stat, lambda path: os.chmod(path, 0o640), lambda path: os.utime(path)], ids=["stat", "chmod", "utime"])
def test_a_name_that_is_replaced_again_and_again_is_always_there(folder, call):
    """As on a local disk: who has come to the file along its path when another is renamed over it deals with the former one."""
    (folder / "name").write_bytes(b"first")
    stop, problems = threading.Event(), []

    def work():
        while not stop.is_set():
            try:
                call(folder / "name")
            except OSError as error:
                problems.append(error)
                return

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        for number in range(150):
            (folder / "new").write_bytes(b"%d" % number)
            os.rename(folder / "new", folder / "name")
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert problems == []
    assert (folder / "name").read_bytes() == b"149"
