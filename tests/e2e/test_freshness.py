"""What other clients do to the bucket is seen here: by the next open, by ls within the window, and never as a mixture."""

import os
import pathlib
import subprocess
import sys
import time
from errno import ENOENT, ESTALE

import pytest

from support.errnos import fails_with
from support.wait import Stopwatch, until

WINDOW = 1.0  # the default freshness window
SEEN = WINDOW + 1.0  # a change must be seen by then


def read(path):
    return path.read_bytes()


def test_an_open_after_close_on_another_host_reads_what_was_written(make_mount):
    writer, reader = make_mount(), make_mount()
    os.listdir(reader.path)
    (writer / "file").write_bytes(b"content")
    until(lambda: read(reader / "file") == b"content", SEEN, "the new file is there")


def test_a_change_by_another_client_is_seen_by_the_next_open(mnt, space):
    space.put("file", b"version one")
    assert read(mnt / "file") == b"version one"
    space.put("file", b"version two!")
    until(lambda: read(mnt / "file") == b"version two!", SEEN, "the new version is read")
    assert (mnt / "file").stat().st_size == 12


def test_a_change_of_the_same_length_is_seen_too(mnt, space):
    space.put("file", b"aaaa")
    assert read(mnt / "file") == b"aaaa"
    space.put("file", b"bbbb")
    until(lambda: read(mnt / "file") == b"bbbb", SEEN, "the new version is read")


def test_a_change_is_seen_although_the_file_is_asked_for_all_the_time(mnt, space):
    """The window counts from S3's answer, not from the last question."""
    space.put("file", b"aaaa")
    read(mnt / "file")
    space.put("file", b"bbbb")
    until(lambda: (mnt / "file").stat() and read(mnt / "file") == b"bbbb", SEEN, "the new version is read", every=0.001)


def test_with_a_window_of_zero_the_very_next_open_sees_it(make_mount, space):
    mnt = make_mount(ttl="0")
    for number in range(20):
        space.put("file", b"version %d" % number)
        assert read(mnt / "file") == b"version %d" % number


def test_with_a_long_window_the_old_version_is_believed(make_mount, space):
    space.put("file", b"version one")
    mnt = make_mount(ttl="1h")
    assert read(mnt / "file") == b"version one"
    space.put("file", b"version two")
    time.sleep(1.2)  # longer than the default window
    assert read(mnt / "file") == b"version one"


@pytest.fixture
def grown(make_mount, space):
    """A file of which the kernel still believes that it has five bytes, while a listing has brought more."""
    mnt = make_mount(ttl="3s")
    space.put("file", b"short")
    assert (mnt / "file").stat().st_size == 5
    time.sleep(3.1)  # the window ends, so that the next lookup of an unknown name lists
    assert (mnt / "file").stat().st_size == 5
    time.sleep(0.2)  # the time is the point: well within the window in which the kernel believes the size
    space.put("file", b"N" * 100_000)
    assert not (mnt / "unknown").exists()
    return mnt / "file"


def test_a_new_version_is_not_read_up_to_the_size_of_the_one_before(grown):
    assert read(grown) in (b"short", b"N" * 100_000)


def test_an_append_to_a_version_that_the_kernel_does_not_know_goes_to_its_end(grown, space):
    with open(grown, "ab") as file:
        file.write(b"tail")
    assert space.get("file") == b"N" * 100_000 + b"tail"
    assert read(grown) == b"N" * 100_000 + b"tail"


@pytest.mark.parametrize("make", [os.mkdir, lambda path: os.symlink("target", path), os.mkfifo], ids=["directory", "link", "fifo"])
def test_what_is_made_in_a_directory_that_is_gone_is_told_so(make_mount, space, make):
    """The kernel still believes that there is one."""
    mnt = make_mount(ttl="3s")
    space.put("dir/file", b"x")
    assert (mnt / "dir/file").exists()
    time.sleep(3.1)  # the window ends for the root, and begins anew for the directory
    assert not (mnt / "dir/other").exists()
    space.delete("dir/file")
    assert not (mnt / "unknown").exists()
    with fails_with(ENOENT):
        make(mnt / "dir/new")


def test_a_chmod_of_a_directory_on_another_host_is_seen(devs3, make_mount):
    """On versitygw a marker that is written again keeps its time, and then nothing tells."""
    here, there = make_mount(), make_mount()
    os.mkdir(there / "dir")
    until(lambda: (here / "dir").is_dir(), SEEN, "the directory is there")
    time.sleep(2.1)  # S3 tells the time of a change in whole seconds, and its clock may differ from ours
    os.chmod(there / "dir", 0o700)
    until(lambda: (here / "dir").stat().st_mode & 0o777 == 0o700, SEEN + 1, "the new mode is seen")


def test_ls_shows_new_and_deleted_files_within_the_window(mnt, space):
    space.put("one", b"1")
    assert os.listdir(mnt.path) == ["one"]
    space.put("two", b"2")
    space.put("dir/three", b"3")
    space.delete("one")
    until(lambda: sorted(os.listdir(mnt.path)) == ["dir", "two"], SEEN, "ls shows the change")
    assert os.listdir(mnt / "dir") == ["three"]


def test_a_name_that_was_missing_appears(mnt, space):
    with fails_with(ENOENT):
        (mnt / "late").stat()
    space.put("late", b"here")
    until(lambda: read(mnt / "late") == b"here", SEEN, "the file appears")


def test_a_file_deleted_behind_the_back_is_missing(devs3, mnt, space):
    space.put("file", b"content")
    assert read(mnt / "file") == b"content"
    devs3.expire(space.bucket, space.key("file"))
    until(lambda: not (mnt / "file").exists(), SEEN, "the file is gone")
    with fails_with(ENOENT):
        read(mnt / "file")
    assert os.listdir(mnt.path) == []


def test_a_file_deleted_behind_the_back_can_be_made_again(mnt, space):
    (mnt / "file").write_bytes(b"one")
    space.delete("file")
    (mnt / "file").write_bytes(b"two")
    assert space.get("file") == b"two"


def test_a_file_deleted_behind_the_back_of_its_writer_can_be_made_again_at_once(mnt, space):
    """The kernel still believes that it is there, and asks for it to be opened, not made."""
    space.put("file", b"old")
    descriptor = os.open(mnt / "file", os.O_RDWR)
    os.pwrite(descriptor, b"NEW", 0)
    space.delete("file")
    with fails_with(ESTALE):
        os.close(descriptor)
    descriptor = os.open(mnt / "file", os.O_RDWR | os.O_CREAT, 0o644)
    os.write(descriptor, b"made again")
    os.close(descriptor)
    assert space.get("file") == b"made again"


def test_deleting_what_is_gone_already(mnt, space):
    space.put("file", b"content")
    os.listdir(mnt.path)
    space.delete("file")
    try:
        os.unlink(mnt / "file")  # S3 cannot tell: both answers are right
    except FileNotFoundError:
        pass
    assert not space.exists("file")


def test_a_directory_that_another_client_makes_or_empties(mnt, space):
    space.put("dir/sub/file", b"x")
    until(lambda: (mnt / "dir" / "sub").is_dir(), SEEN, "the implied directories are there")
    assert os.listdir(mnt / "dir") == ["sub"]
    space.put("marked/", b"")
    until(lambda: (mnt / "marked").is_dir(), SEEN, "the marked directory is there")
    assert os.listdir(mnt / "marked") == []


def test_removing_the_last_file_leaves_the_directory_on_this_mount(mnt, space):
    space.put("dir/file", b"x")
    until(lambda: (mnt / "dir").is_dir(), SEEN, "the directory is there")
    os.unlink(mnt / "dir" / "file")
    time.sleep(WINDOW + 0.2)  # also once nothing that was known is fresh
    assert os.listdir(mnt / "dir") == []
    (mnt / "dir" / "again").write_bytes(b"y")
    assert space.get("dir/again") == b"y"


BIG = 20 << 20


@pytest.fixture
def versions(mnt, space):
    """Two versions of one large object, the first one open with its first MiB read."""
    one, two = b"1" * BIG, b"2" * (BIG - 1000)
    space.put("big", one)
    descriptor = os.open(mnt / "big", os.O_RDONLY)
    head = os.read(descriptor, 1 << 20)
    assert head == b"1" * len(head) and head
    yield one, two, descriptor, len(head)
    os.close(descriptor)


def read_rest(descriptor):
    rest = b""
    while block := os.read(descriptor, 1 << 20):
        rest += block
    return rest


@pytest.mark.parametrize("change", ["overwritten", "deleted"])
def test_a_reader_gets_the_rest_of_its_version_or_estale(mnt, space, versions, change):
    one, two, descriptor, done = versions
    space.put("big", two) if change == "overwritten" else space.delete("big")
    try:
        rest = read_rest(descriptor)
    except OSError as error:
        assert error.errno == ESTALE
    else:
        assert rest == one[done:]
    if change == "overwritten":
        until(lambda: read(mnt / "big") == two, SEEN + 5, "a new open reads the new version")


def test_a_reader_of_many_overwritten_versions_never_sees_a_mixture(mnt, space):
    for number in range(8):
        space.put("big", bytes([48 + number]) * (3 << 20))
        with open(mnt / "big", "rb", buffering=0) as file:
            seen = set(file.read(1 << 20))
            space.put("big", bytes([65 + number]) * (3 << 20))
            try:
                while block := file.read(1 << 20):
                    seen |= set(block)
            except OSError as error:
                assert error.errno == ESTALE
        assert len(seen) == 1, "bytes of two versions"


def test_attributes_that_were_seen_are_still_known_after_a_remount(mnt, space):
    space.put("file", b"content", Metadata={"file-permissions": "0100640", "file-mtime": "1595002920000000000ns"})
    assert read(mnt / "file") == b"content"
    until(lambda: (mnt / "file").stat().st_mode == 0o100640, SEEN, "what S3 said with the bytes is known")
    before = (mnt / "file").stat()
    mnt.remount()
    os.listdir(mnt.path)  # a listing says nothing of modes and times, and must not take them away
    after = (mnt / "file").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)


def test_inode_numbers_survive_a_remount_and_are_not_used_again(mnt):
    numbers = {}
    for name in ("a", "b", "c"):
        (mnt / name).write_bytes(b"x")
        numbers[name] = (mnt / name).stat().st_ino
    os.unlink(mnt / "b")
    mnt.remount()
    (mnt / "d").write_bytes(b"x")
    assert (mnt / "a").stat().st_ino == numbers["a"] and (mnt / "c").stat().st_ino == numbers["c"]
    assert (mnt / "d").stat().st_ino not in numbers.values()


# What the mount has to get over by itself while it reads.
READ_FAULTS = [("status", {"status": 500, "code": "InternalError"}), ("status", {"status": 503, "code": "SlowDown"}), ("reset", {}),
               ("reset_mid_body", {}), ("truncate", {}), ("slow_body", {"bytes_per_second": 8 << 20})]


@pytest.mark.parametrize("action, more", READ_FAULTS, ids=[f"{action}-{more.get('status', '')}" for action, more in READ_FAULTS])
@pytest.mark.parametrize("size", [50_000, 12 << 20], ids=["small", "large"])
def test_a_fault_that_passes_while_reading_is_not_seen(devs3, mnt, space, action, more, size):
    data = os.urandom(size)
    space.put("file", data)
    with devs3.fault("GetObject", space.key("file"), action, count=1, **more):
        assert read(mnt / "file") == data


@pytest.mark.parametrize("operation", ["ListObjectsV2", "HeadObject"])
def test_a_fault_that_passes_while_looking_is_not_seen(devs3, mnt, space, operation):
    space.put("dir/file", b"x")
    with devs3.fault(operation, "", "status", count=2, status=503, code="SlowDown"):
        assert (mnt / "dir" / "file").stat().st_size == 1
        assert os.listdir(mnt / "dir") == ["file"]


READING_PROGRAM = """
import sys
open(sys.argv[1], "rb").read()
"""


def test_a_program_that_is_killed_while_it_reads_ends_at_once(devs3, mnt, space):
    space.put("file", b"x")
    os.listdir(mnt.path)
    with devs3.fault("GetObject", space.key("file"), "hang", count=1000):
        child = subprocess.Popen([sys.executable, "-c", READING_PROGRAM, mnt / "file"])
        until(lambda: "request_wait_answer" in pathlib.Path(f"/proc/{child.pid}/wchan").read_text(), 5, "the program waits", every=0.2)
        with Stopwatch() as watch:
            child.kill()
            child.wait()
        assert watch.seconds < 3


def test_a_new_file_of_one_host_is_opened_at_once_on_another(make_mount):
    """As a queue message has it done, again and again, whatever the other host has listed a moment ago."""
    api, worker = make_mount(), make_mount()
    for number in range(20):
        os.listdir(worker.path)
        (api / f"{number}.pdf").write_bytes(b"%d" % number)
        assert (worker / f"{number}.pdf").read_bytes() == b"%d" % number
