"""A hundred thousand files, and files larger than the memory that the daemon may use."""

import os
import threading

import pytest

from support import bulk
from support.devs3 import ACCESS, SECRET, Devs3
from support.wait import Stopwatch

MIB = 1 << 20
MEMORY_LIMIT = 100 * MIB
COUNT = 100_000


@pytest.fixture(scope="module")
def hundred_thousand(tmp_path_factory):
    """An endpoint with that many resumes in one directory."""
    config = {"keys": [{"access": ACCESS, "secret": SECRET}], "buckets": [{"name": "e2e"}]}
    server = Devs3(tmp_path_factory.mktemp("many"), config).start()
    bulk.put_empty(server, "e2e", [f"resumes/{number:06}_cv.pdf" for number in range(COUNT)])
    server.clear_log()  # its lines would be read again and again
    yield server
    server.stop()


def test_a_hundred_thousand_names_are_listed_completely(mounts, hundred_thousand):
    mnt = mounts.start("s3://e2e/resumes", hundred_thousand.endpoint)
    with Stopwatch() as watch:
        names = os.listdir(mnt.path)
    assert len(names) == COUNT and set(names) == {f"{number:06}_cv.pdf" for number in range(COUNT)}
    assert watch.seconds < 30
    assert mnt.memory_bytes() < MEMORY_LIMIT
    with os.scandir(mnt.path) as entries:
        assert sum(entry.stat().st_size == 0 for entry in entries) == COUNT
    assert mnt.memory_bytes() < MEMORY_LIMIT
    (mnt / "new.pdf").write_bytes(b"x")
    assert (mnt / "050000_cv.pdf").stat().st_size == 0 and (mnt / "new.pdf").read_bytes() == b"x"


def test_the_first_names_cost_one_page(mounts, hundred_thousand):
    mnt = mounts.start("s3://e2e/resumes", hundred_thousand.endpoint)
    before = hundred_thousand.last_seq()
    with os.scandir(mnt.path) as entries:
        first = [next(entries).name for _ in range(10)]
        listed = [record for record in hundred_thousand.log(before) if record["operation"] == "ListObjectsV2"]
        # What the C library reads at once may need a second page; opendir() looks whether the directory is there.
        assert first == [f"{number:06}_cv.pdf" for number in range(10)] and len(listed) <= 3
        assert 10 + sum(entry.name.endswith("_cv.pdf") for entry in entries) == COUNT


def test_one_file_among_a_hundred_thousand_costs_no_listing(mounts, hundred_thousand):
    mnt = mounts.start("s3://e2e", hundred_thousand.endpoint)
    before = hundred_thousand.last_seq()
    (mnt / "resumes" / "new.pdf").write_bytes(b"x")
    assert (mnt / "resumes" / "077777_cv.pdf").stat().st_size == 0
    assert len(hundred_thousand.log(before)) <= 8


def test_a_large_file_is_written_and_read_in_bounded_memory(make_mount, space):
    mnt = make_mount(cache_size="64M")
    block = os.urandom(MIB)
    with open(mnt / "large", "wb", buffering=0) as file:
        for _ in range(300):
            file.write(block)
        assert mnt.memory_bytes() < 2 * MEMORY_LIMIT  # parts are on their way
    assert space.head("large")["ContentLength"] == 300 * MIB
    mnt.remount(cold=True)
    with open(mnt / "large", "rb", buffering=0) as file:
        while data := file.read(MIB):
            assert data == block
    assert mnt.memory_bytes() < 2 * MEMORY_LIMIT


def test_the_cache_stays_within_its_size(make_mount, space):
    mnt = make_mount(cache_size="32M")
    for number in range(20):
        space.put(f"{number}", os.urandom(4 * MIB))
    for number in range(20):
        assert len((mnt / f"{number}").read_bytes()) == 4 * MIB
    used = sum(path.stat().st_blocks * 512 for path in mnt.cache_dir.rglob("*") if path.is_file())
    assert used < 80 * MIB


def test_many_open_files(mnt):
    files = [open(mnt / f"{number}", "wb", buffering=0) for number in range(500)]
    for file in files:
        file.write(b"x")
    for file in files:
        file.close()
    assert len(os.listdir(mnt.path)) == 500
    assert mnt.memory_bytes() < MEMORY_LIMIT


def test_writers_and_readers_at_the_same_time_stay_within_memory(mnt, space):
    space.put("source", os.urandom(40 * MIB))

    def work(number):
        with open(mnt / "source", "rb") as source, open(mnt / f"copy-{number}", "wb") as target:
            while block := source.read(MIB):
                target.write(block)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(space.head(f"copy-{number}")["ContentLength"] == 40 * MIB for number in range(4))
    assert mnt.memory_bytes() < 3 * MEMORY_LIMIT
