"""Where a program reads the files of a directory in order, the next ones are fetched before it opens them."""

import shutil
import subprocess

import pytest

from support import machine
from support.wait import until

FILES = 150
WORKERS = 8
LONG = {"ttl": "60s"}  # what is fetched ahead is still believed when a busy machine comes to open it


def name_of(number):
    return f"d/{number:04}.pdf"


def content_of(number, size=3000):
    return (f"{number:04} " * (size // 5)).encode()


def put_files(space, size=3000, **headers):
    for number in range(FILES):
        space.put(name_of(number), content_of(number, size), **headers)


def read(mnt, numbers):
    for number in numbers:
        assert (mnt / name_of(number)).read_bytes() == content_of(number)


def tar(source, copy):
    subprocess.run(f"tar cf - -C '{source.parent}' d | tar xf - -C '{copy.parent}'", shell=True, check=True)


def cp(source, copy):
    subprocess.run(["cp", "-r", source, copy], check=True)


@pytest.mark.parametrize("size", [3000, 200_000], ids=["3 KB", "200 KB"])
@pytest.mark.parametrize("program", [tar, cp, shutil.copytree])
def test_each_file_is_fetched_once(devs3, space, make_mount, record, tmp_path, program, size):
    put_files(space, size)
    mnt = make_mount(**LONG)
    recording = record()
    (tmp_path / "copy").mkdir()
    program(mnt / "d", tmp_path / "copy/d")
    for number in range(FILES):
        assert (tmp_path / "copy" / name_of(number)).read_bytes() == content_of(number, size)
    requests = recording.requests()
    files = {request.key for request in requests.of("GetObject")}
    assert files == {space.key(name_of(number)) for number in range(FILES)}
    assert requests.bytes_out() <= 1.05 * FILES * size + 300 * FILES  # the listing, and nothing else
    if size < 128 << 10:
        assert requests.counts()["GetObject"] == FILES


def test_the_next_ones_are_asked_for_before_they_are_opened(devs3, space, make_mount, record):
    put_files(space)
    mnt = make_mount(**LONG)
    recording = record()
    read(mnt, [0, 1, 2])
    wanted = {space.key(name_of(number)) for number in (4, 5, 6)}
    until(lambda: wanted <= {request.key for request in recording.requests().of("GetObject")}, 10, "the next ones are asked for")


def test_another_order_fetches_nothing_but_what_is_opened(devs3, space, make_mount, record):
    put_files(space)
    mnt = make_mount(**LONG)
    recording = record()
    backwards = list(range(FILES - 1, 0, -3))
    read(mnt, backwards)
    assert recording.counts()["GetObject"] == len(backwards)


def test_what_another_client_writes_is_read_once_the_window_is_over(devs3, space, make_mount, record):
    put_files(space)
    mnt = make_mount()
    recording = record()
    read(mnt, [0, 1, 2])
    until(lambda: space.key(name_of(3)) in {request.key for request in recording.requests().of("GetObject")}, 10, "the fourth one is asked for")
    space.put(name_of(3), b"another client's")
    until(lambda: (mnt / name_of(3)).read_bytes() == b"another client's", 10, "it is read as it is now")


def test_files_that_a_user_may_not_read_are_refused_though_they_are_fetched_ahead(devs3, space, public_mounts):
    """The kernel judges by what it was told, which for objects that were only listed are the mount's defaults."""
    machine.require_root()
    machine.require_program("setpriv")
    put_files(space, Metadata={"file-permissions": "0100600", "file-owner": "0", "file-group": "0"})
    mnt = public_mounts.start(space.source, devs3.endpoint, devs3.access, devs3.secret, allow_other=True)
    reader = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", 'ls -l "$0" >/dev/null; cat "$0"/*', mnt / "d"]
    got = subprocess.run(reader, capture_output=True)
    assert got.stdout == b""
    assert got.stderr.count(b"Permission denied") == FILES


def test_a_killed_worker_costs_a_reader_no_error(devs3, space, make_mount):
    put_files(space)
    mnt = make_mount()
    for number in range(FILES):
        if number % 50 == 25:
            mnt.kill_worker()
        read(mnt, [number])


def test_workers_that_share_the_files_read_in_order(devs3, space, make_mount, record):
    put_files(space)
    mnt = make_mount(**LONG)
    recording = record()
    command = f"ls '{mnt.path}/d' | xargs -P {WORKERS} -n 1 -I{{}} cat '{mnt.path}/d/{{}}' | wc -c"
    done = subprocess.run(command, shell=True, capture_output=True, check=True)
    assert int(done.stdout) == FILES * 3000
    assert FILES <= recording.counts()["GetObject"] <= FILES + WORKERS  # the first ones come in any order
