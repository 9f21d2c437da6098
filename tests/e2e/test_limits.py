"""What a mount takes of the machine has bounds: disk, memory, descriptors, threads; and so has what it asks for the sake of names."""

import contextlib
import os
import random
import resource
import subprocess
import threading
from errno import EMFILE

import pytest

from support import admin, bulk, machine
from support.errnos import fails_with
from support.fuse_trace import FuseTrace, require_fuse_trace
from support.mount import status_bytes, status_number
from support.stage_watch import StageWatch, staged_bytes
from support.wait import until

KIB, MIB = 1 << 10, 1 << 20
LONG = {"ttl": "10m"}  # no machine is too slow for this window
MEMORY, IDLE_MEMORY = 100 * MIB, 64 * MIB
FIRST_BLOCK, PART = 128 * KIB, 8 * MIB


def text(number, size):
    return b"%07d\n" % number * (size // 8)


def put_files(devs3, space, count, size):
    bulk.put(devs3, space.bucket, {space.key(f"d/{number:04}"): text(number, size) for number in range(count)})


def gone_from_disk(mnt):
    """The kernel tells of the last close a moment after it."""
    until(lambda: staged_bytes(mnt) == 0, 20, "nothing stays on the disk")


# ---- no cache ----


@pytest.fixture
def without_cache(make_mount):
    return make_mount(cache_size="0", **LONG)


def test_without_a_cache_each_open_fetches_and_nothing_stays(devs3, space, without_cache, record):
    body = os.urandom(20 * MIB)
    space.put("large", body)
    space.put("small", b"content")
    recording = record()
    for _ in range(2):
        assert (without_cache / "large").read_bytes() == body
        assert (without_cache / "small").read_bytes() == b"content"
        gone_from_disk(without_cache)
    gets = recording.requests().of("GetObject")
    assert len([get for get in gets if get.key == space.key("small")]) == 2
    assert gets.bytes_out() == 2 * (len(body) + len(b"content"))
    (without_cache / "small").write_bytes(b"other content")
    assert space.get("small") == b"other content"
    gone_from_disk(without_cache)


def test_without_a_cache_nothing_is_fetched_ahead(devs3, space, without_cache, record):
    put_files(devs3, space, 40, 1000)
    recording = record()
    for number in range(20):
        assert (without_cache / f"d/{number:04}").read_bytes() == text(number, 1000)
    assert [get.key for get in recording.requests().of("GetObject")] == [space.key(f"d/{number:04}") for number in range(20)]


def test_without_a_cache_reads_at_random_are_right(devs3, space, without_cache):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    body = chance.randbytes(32 * MIB)
    space.put("large", body)
    with open(without_cache / "large", "rb", buffering=0) as file:
        for _ in range(200):
            place = chance.randrange(len(body) - 5000)
            assert os.pread(file.fileno(), 5000, place) == body[place:place + 5000]
    gone_from_disk(without_cache)


# ---- a full cache ----


def test_a_full_cache_stays_full_and_keeps_what_was_used_last(devs3, space, make_mount, record):
    count, size, cache = 200, 200_000, 8 * MIB
    put_files(devs3, space, count, size)
    mnt = make_mount(cache_size=cache, **LONG)
    with StageWatch(mnt) as watch:
        for number in range(count):
            assert (mnt / f"d/{number:04}").read_bytes() == text(number, size)
            (mnt / f"w{number:04}").write_bytes(text(number, size))
    assert cache / 2 < watch.most <= cache + 1 * MIB  # one file or two are open besides
    recording = record()
    for number in range(count - 10, count):
        assert (mnt / f"d/{number:04}").read_bytes() == (mnt / f"w{number:04}").read_bytes() == text(number, size)
    assert recording.counts() == {}
    for number in range(10):
        assert (mnt / f"w{number:04}").read_bytes() == text(number, size)
    assert {get.key for get in recording.requests().of("GetObject")} >= {space.key(f"w{number:04}") for number in range(10)}


@pytest.mark.parametrize("stage_size", ["1G", "16M"])
def test_a_file_larger_than_the_cache_is_fetched_once(devs3, space, make_mount, record, stage_size):
    cache = 8 * MIB
    body = os.urandom(64 * MIB)
    space.put("large", body)
    mnt = make_mount(cache_size=cache, stage_size=stage_size, **LONG)
    recording = record()
    with StageWatch(mnt) as watch:
        assert (mnt / "large").read_bytes() == body
    assert recording.requests().of("GetObject").bytes_out() == len(body)
    assert recording.counts()["GetObject"] <= 1 + len(body) // PART
    # What is ahead fits into the cache; besides there are the part that is read, and the one before.
    assert watch.most <= cache + 2 * PART
    until(lambda: staged_bytes(mnt) <= cache, 20, "the cache has its size again")


# ---- a fast writer ----


@pytest.mark.parametrize("writers", [1, 4])
def test_a_fast_writer_waits_for_a_slow_line(devs3, space, make_mount, writers):
    """128 MiB, of which 17 MiB may be on the disk."""
    files, size = 32, 4 * MIB
    mnt = make_mount(commit="journal", stage_size="16M", cache_size="1M", **LONG)
    body = os.urandom(size)
    failed = []

    def write(worker):
        try:
            for number in range(worker, files, writers):
                with open(mnt / f"{number:02}", "wb") as file:
                    file.write(b"%02d" % number + body[2:])
        except OSError as error:
            failed.append(error)

    with StageWatch(mnt) as watch, devs3.fault("PutObject", space.prefix, "slow_body", count=-1, bytes_per_second=32 * MIB):
        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert admin.prefixfs("drain", mnt.path).status == 0
    assert failed == []
    assert watch.most <= 17 * MIB
    assert all(space.get(f"{number:02}") == b"%02d" % number + body[2:] for number in range(files))
    assert mnt.peak_memory_bytes() < MEMORY


def test_a_writer_waits_for_what_others_are_storing(devs3, space, make_mount):
    size = 6 * MIB
    mnt = make_mount(stage_size="16M", cache_size="1M", **LONG)
    body = os.urandom(size)
    with contextlib.ExitStack() as stack:
        first, second = [stack.enter_context(open(mnt / name, "wb")) for name in ("first", "second")]
        for file in (first, second):
            file.write(body)
            file.flush()
        with devs3.fault("PutObject", space.key("first"), "slow_body", count=-1, bytes_per_second=4 * MIB):
            closing = threading.Thread(target=first.close)
            closing.start()
            until(devs3.hits, 10, "the first one is being stored")
            (mnt / "third").write_bytes(body)
            closing.join()
    assert all(space.get(name) == body for name in ("first", "second", "third"))


# ---- memory, threads, descriptors ----


def test_a_mount_that_does_nothing_is_small(mounts, devs3, space):
    mnt = mounts.start(space.source, devs3.endpoint).wait_connected()
    os.listdir(mnt.path)
    for pid in (mnt.process.pid, mnt.worker()):
        assert status_bytes(pid, "VmRSS") <= IDLE_MEMORY
    assert status_number(mnt.process.pid, "Threads") == 1
    # 16 that fetch, 16 that upload; loops, connector, signals, those that are about to end; libfuse's.
    assert status_number(mnt.worker(), "Threads") <= 60
    assert len(os.listdir(f"/proc/{mnt.worker()}/fd")) < 64


def test_memory_while_small_files_come_ahead_and_parts_are_on_their_way(devs3, space, make_mount):
    put_files(devs3, space, 1000, 20_000)
    for number in range(3):
        space.put(f"large-{number}", bytes(64 * MIB))
    mnt = make_mount(**LONG)
    with devs3.far_away(5):
        readers = [subprocess.Popen(["cat", mnt / f"large-{number}"], stdout=subprocess.DEVNULL) for number in range(3)]
        archive = subprocess.run(f"tar cf - -C '{mnt.path}' d | wc -c", shell=True, capture_output=True, check=True)
        assert [reader.wait(60) for reader in readers] == [0, 0, 0]
    assert int(archive.stdout) > 1000 * 20_000
    assert mnt.peak_memory_bytes() < MEMORY
    # libfuse's 64, 16 that fetch, 32 that fetch files ahead, 16 that upload, and few others.
    assert status_number(mnt.worker(), "Threads") <= 64 + 16 + 32 + 16 + 16


@pytest.fixture
def many_descriptors():
    """For this test's own files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 4096:
        machine.skip(f"a process may open {before[1]} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_thousand_files_are_read_and_written_at_once(devs3, space, make_mount, many_descriptors):
    count, size = 500, 1000
    put_files(devs3, space, count, size)
    mnt = make_mount(**LONG)
    soft, hard = next(line.split()[3:5] for line in open(f"/proc/{mnt.worker()}/limits") if line.startswith("Max open files"))
    assert soft == hard
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(open(mnt / f"d/{number:04}", "rb", buffering=0)) for number in range(count)]
        writers = [stack.enter_context(open(mnt / f"w{number:04}", "wb", buffering=0)) for number in range(count)]
        for number, writer in enumerate(writers):
            writer.write(text(number, size))
        assert all(reader.read() == text(number, size) for number, reader in enumerate(readers))
    assert len(space.names("w")) == count
    assert space.get(f"w{count - 1:04}") == text(count - 1, size)
    assert mnt.peak_memory_bytes() < MEMORY


@pytest.fixture
def few_descriptors(mounts, devs3, space):
    machine.require_program("prlimit")
    mnt = mounts.prepare(space.source, devs3.endpoint, devs3.access, devs3.secret, **LONG)
    mnt.wrapper = ["prlimit", "--nofile=400"]
    return mnt.start().wait_connected()


def test_files_in_the_cache_take_no_descriptor_from_those_that_are_opened(devs3, space, few_descriptors):
    put_files(devs3, space, 1000, 1000)
    for number in range(1000):
        assert (few_descriptors / f"d/{number:04}").read_bytes() == text(number, 1000)
    (few_descriptors / "new").write_bytes(b"content")
    assert space.get("new") == b"content"


def test_too_many_open_files_are_told_so(devs3, space, few_descriptors):
    put_files(devs3, space, 500, 1000)
    with contextlib.ExitStack() as stack:
        files = []
        with fails_with(EMFILE):
            for number in range(500):
                files.append(stack.enter_context(open(few_descriptors / f"d/{number:04}", "rb", buffering=0)))
        assert len(files) > 200
        assert "ulimit -n" in few_descriptors.log()
        assert all(file.read() == text(number, 1000) for number, file in enumerate(files))
    assert until(lambda: (few_descriptors / "d/0499").read_bytes(), 10, "there are descriptors again") == text(499, 1000)


# ---- names ----


NAMES = 20_000
LISTERS = {"ls -l": ["ls", "-l"], "find": ["find"], "du": ["du", "-a", "--apparent-size"]}


@pytest.fixture(scope="module")
def names(devs3):
    """The prefix of a directory `d` with that many names."""
    bulk.put_empty(devs3, "e2e", [f"names/d/{number:05}" for number in range(NAMES)])
    return "s3://e2e/names"


@pytest.mark.parametrize("program", LISTERS)
def test_a_huge_directory_costs_nothing_for_each_name(mounts, devs3, names, program):
    mnt = mounts.start(names, devs3.endpoint, **LONG).wait_connected()
    before = devs3.last_seq()
    lines = subprocess.run([*LISTERS[program], mnt / "d"], capture_output=True, check=True, text=True).stdout.splitlines()
    assert {line.split()[-1].rpartition("/")[2] for line in lines} >= {f"{number:05}" for number in range(NAMES)}
    assert len(lines) == NAMES + 1
    counts = devs3.log(before).counts()
    assert counts.pop("ListObjectsV2") <= NAMES // 1000 + 3 and counts == {}
    assert mnt.peak_memory_bytes() < MEMORY


@pytest.mark.parametrize("program", ["ls -l", "find"])  # du reads all names before it asks after the first; the kernel does not ask for attributes of them along
def test_the_kernel_asks_the_daemon_for_no_name_of_them(mounts, devs3, names, program):
    require_fuse_trace()
    mnt = mounts.start(names, devs3.endpoint, **LONG).wait_connected()
    with FuseTrace(mnt.path) as trace:
        subprocess.run([*LISTERS[program], mnt / "d"], stdout=subprocess.DEVNULL, check=True)
        counts = trace.counts()
    assert counts["READDIRPLUS"] >= 1
    assert sum(counts.values()) < NAMES / 100, counts
