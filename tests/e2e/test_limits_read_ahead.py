"""What is fetched before a program asks for it has bounds: on a line that is far, on one that is slow, and for a program that stops."""

import contextlib
import os
import random
import subprocess

import pytest

from support import bulk
from support.flights import flights, most_at_once, rounds
from support.wait import until, until_quiet

KIB, MIB = 1 << 10, 1 << 20
LONG = {"ttl": "10m"}  # no machine is too slow for this window
FAR = 200  # milliseconds
SLOW = MIB  # bytes a second, of each answer
# vfs::Settings
FIRST_BLOCK, PART, PARTS_AHEAD = 128 * KIB, 8 * MIB, 6
# the threads of the daemon that fetch, and how many of them may be busy with what nobody waits for yet
FETCHERS, AHEAD_AT_ONCE = 16, 12
FILES_AT_ONCE = 32
FREE_UNUSED = 4 * MIB


def quiet(recording):
    """The requests so far, once the daemon asks for no more."""
    until_quiet(lambda: [(request.seq, request.bytes_out) for request in recording.requests()], 60, "what the daemon asks for")
    return recording.requests()


@contextlib.contextmanager
def program(*command, **more):
    """Runs beside the test, and ends with it."""
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, **more)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def slow_line(devs3, key, after=0):
    """For the length of a block answers about `key` trickle, all but the first ones."""
    return devs3.fault("GetObject", key, "slow_body", count=-1, skip=after, bytes_per_second=SLOW)


@contextlib.contextmanager
def ended_at_once(mnt):
    """Nobody waits for what is on its way when the block ends."""
    try:
        yield
    finally:
        mnt.kill()


# ---- far away ----


def test_the_first_byte_of_a_large_file_is_two_questions_away(devs3, space, make_mount, record):
    space.put("large", bytes(64 * MIB))
    mnt = make_mount(**LONG)
    recording = record()
    with devs3.far_away(FAR):
        descriptor = os.open(mnt / "large", os.O_RDONLY)
        assert os.read(descriptor, 1) == b"\0"
        requests = recording.requests()
        os.close(descriptor)
    assert requests.counts() == {"ListObjectsV2": 1, "GetObject": 1}
    assert requests.of("GetObject").bytes_out() == FIRST_BLOCK


def test_a_large_file_is_read_with_several_parts_on_their_way(devs3, space, make_mount, record):
    body = os.urandom(64 * MIB)
    space.put("large", body)
    mnt = make_mount(**LONG)
    recording = record()
    with devs3.far_away(FAR):
        assert (mnt / "large").read_bytes() == body
    gets = recording.requests().of("GetObject")
    assert len(gets) == 9 and gets.bytes_out() == len(body)
    flown = flights(gets, FAR)
    assert 3 <= most_at_once(flown) <= 1 + PARTS_AHEAD
    assert rounds(flown, FAR / 2) <= 6  # the parts alone are eight


def test_small_files_come_ahead_of_tar(devs3, space, make_mount, record, tmp_path):
    files, size = 200, 4000
    bulk.put(devs3, space.bucket, {space.key(f"d/{number:03}"): b"%03d\n" % number * (size // 4) for number in range(files)})
    mnt = make_mount(**LONG)
    recording = record()
    with devs3.far_away(FAR):
        subprocess.run(f"tar cf - -C '{mnt.path}' d | tar xf - -C '{tmp_path}'", shell=True, check=True)
    assert all((tmp_path / f"d/{number:03}").read_bytes() == b"%03d\n" % number * (size // 4) for number in range(files))
    gets = recording.requests().of("GetObject")
    assert len(gets) <= 1.05 * files and gets.bytes_out() <= 1.05 * files * size
    # tar opens one file after another: each that it had to ask for alone is a round of its own.
    assert rounds(flights(gets, FAR), FAR / 2) <= files / 5


def test_so_many_files_are_asked_for_at_once(devs3, space, make_mount, tmp_path):
    bulk.put(devs3, space.bucket, {space.key(f"d/{number:03}"): b"content" for number in range(200)})
    mnt = make_mount(**LONG)
    with contextlib.ExitStack() as stack:
        with devs3.fault("GetObject", space.key("d/"), "hang", count=-1, skip=30):
            tar = stack.enter_context(program("tar", "cf", tmp_path / "copy.tar", "-C", mnt.path, "d"))
            until(lambda: devs3.hits() > 4, 30, "tar waits, and others are on their way")
            waiting = until_quiet(devs3.hits, 30, "what is asked for")
        assert tar.wait(60) == 0
    assert waiting <= FILES_AT_ONCE + 1  # and the one that tar has opened


def test_who_leaves_a_directory_early_gets_little_for_nothing(devs3, space, make_mount, record):
    directories, files, opened, size = 30, 24, 5, 60_000
    bulk.put(devs3, space.bucket, {space.key(f"{directory:02}/{number:02}"): bytes(size) for directory in range(directories) for number in range(files)})
    mnt = make_mount(**LONG)
    recording = record()
    for directory in range(directories):
        for number in range(opened):
            assert len((mnt / f"{directory:02}/{number:02}").read_bytes()) == size
    wanted = directories * opened * size
    fetched = quiet(recording).of("GetObject").bytes_out()
    # Those of one directory or two may be on their way when it is noticed.
    assert fetched <= wanted * 1.05 + FREE_UNUSED + 2 * (files - opened) * size


# ---- a slow line ----


def read_until_all_parts_are_ahead(file):
    for _ in range(14):
        assert len(file.read(MIB)) == MIB


def test_parts_do_not_pile_up_on_a_slow_line(devs3, space, make_mount, record):
    space.put("big", bytes(128 * MIB))
    mnt = make_mount(**LONG)
    recording = record()
    with ended_at_once(mnt), open(mnt / "big", "rb", buffering=0) as file:
        read_until_all_parts_are_ahead(file)
        before = len(quiet(recording).of("GetObject"))
        with slow_line(devs3, space.key("big")), program("cat", stdin=file):
            until(lambda: devs3.hits() >= 1 + PARTS_AHEAD, 30, "the part that is read and those ahead of it are on their way")
            until_quiet(devs3.hits, 5, "what is on its way")
            slow = recording.requests().of("GetObject")[before:]
    assert len(slow) == 1 + PARTS_AHEAD and sum(request.bytes_out for request in slow) == (1 + PARTS_AHEAD) * PART


@pytest.mark.parametrize("readers", [1, 3])
def test_a_small_file_is_read_beside_large_ones(devs3, space, make_mount, record, readers):
    """Three readers want more parts than there are threads that fetch."""
    small = os.urandom(200_000)
    space.put("big-0", bytes(128 * MIB))
    for number in range(1, readers):
        space.client.copy_object(Bucket=space.bucket, Key=space.key(f"big-{number}"), CopySource={"Bucket": space.bucket, "Key": space.key("big-0")})
    space.put("small", small)
    mnt = make_mount(**LONG)
    os.listdir(mnt.path)
    recording = record()
    with ended_at_once(mnt), contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(mnt / f"big-{number}", "rb", buffering=0)) for number in range(readers)]
        for file in files:
            read_until_all_parts_are_ahead(file)
        before = len(quiet(recording).of("GetObject"))
        stack.enter_context(slow_line(devs3, space.key("big")))
        for file in files:
            stack.enter_context(program("cat", stdin=file))
        until(lambda: devs3.hits() >= min(readers * (1 + PARTS_AHEAD), AHEAD_AT_ONCE), 30, "parts of the large ones are on their way")
        until_quiet(devs3.hits, 5, "what is on its way")
        assert (mnt / "small").read_bytes() == small
        requests = recording.requests().of("GetObject")[before:]
    served = max(index for index, request in enumerate(requests) if request.key == space.key("small"))
    # The others wait until a part has come, which takes eight seconds.
    assert len([request for request in requests[:served] if request.key != space.key("small")]) <= FETCHERS


def test_reads_everywhere_start_no_third_part_while_two_are_on_their_way(devs3, space, make_mount, record):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    places = [part * PART + half * PART // 2 + 2 * MIB for part in range(8) for half in (0, 1)]
    random.Random(seed).shuffle(places)
    body = random.Random(seed).randbytes(128 * MIB)
    space.put("large", body)
    mnt = make_mount(**LONG)
    recording = record()
    with ended_at_once(mnt), open(mnt / "large", "rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)

        def read(place):
            assert os.pread(file.fileno(), 4096, place) == body[place:place + 4096]

        for place in places:  # as many as the file has parts: from now on each brings its part along
            read(place)
        assert {request.bytes_out for request in recording.requests().of("GetObject")} == {FIRST_BLOCK}
        with slow_line(devs3, space.key("large")):
            for part in range(8, 14):
                read(part * PART + PART // 2)
            large = [request for request in recording.requests().of("GetObject") if request.bytes_out > MIB]
    begun = {int(request.range.removeprefix("bytes=").split("-")[0]) // PART for request in large}
    assert begun == {8, 9}


# ---- a program that stops ----


def test_a_program_that_reads_a_little_and_stops_gets_a_little(space, devs3, make_mount, record):
    space.put("large", bytes(128 * MIB))
    mnt = make_mount(**LONG)
    recording = record()
    with open(mnt / "large", "rb", buffering=0) as file:
        for _ in range(3):
            assert file.read(4096) == bytes(4096)
            assert quiet(recording).of("GetObject").bytes_out() == FIRST_BLOCK


def test_a_program_that_reads_much_and_stops_gets_so_many_parts_more(space, devs3, make_mount, record):
    space.put("large", bytes(128 * MIB))
    mnt = make_mount(**LONG)
    recording = record()
    with open(mnt / "large", "rb", buffering=0) as file:
        for _ in range(2 * PART // MIB):
            assert len(file.read(MIB)) == MIB
        # The kernel has asked for a little of the third part.
        assert quiet(recording).of("GetObject").bytes_out() <= 3 * PART + PARTS_AHEAD * PART
        assert len(file.read(MIB)) == MIB
        assert quiet(recording).of("GetObject").bytes_out() <= 3 * PART + PARTS_AHEAD * PART
