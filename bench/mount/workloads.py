"""What is measured: one function for each workload."""

import concurrent.futures
import contextlib
import os
import pathlib
import random
import sqlite3
import subprocess
import tempfile

from curl import ranges
from workload import MIB, WARM_PAUSE_SECONDS, Repeated, Step, Workload, expect, noise, run_program

NEW_FILE_BYTES = 500_000
SMALL_FILE_BYTES = 100_000
TINY_FILE_BYTES = 4_000
PLACE_BYTES = 4 << 10
WRITERS = 8
PART_BYTES = 8 * MIB
PARTS_AT_ONCE = 16
FILES_AT_ONCE = 32
LARGE_BLOCK = noise(PART_BYTES, 4)


def new_files(sizes):
    names = [f"new-{number:04}.pdf" for number in range(sizes.files)]
    body = noise(NEW_FILE_BYTES, 1)

    def run(path):
        for name in names:
            with open(path / name, "wb") as file:
                file.write(body)

    title = f"{sizes.files} new files of 500 KB, one after another"
    return Workload([Step(title, run, stored=dict.fromkeys(names, NEW_FILE_BYTES), floor=lambda curl: curl.put(names, body))])


def new_files_at_once(sizes):
    names = [f"once-{number:04}.pdf" for number in range(sizes.files)]
    body = noise(NEW_FILE_BYTES, 6)

    def run(path):
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(lambda name: (path / name).write_bytes(body), names))

    title = f"{sizes.files} new files of 500 KB by {WRITERS} threads"
    return Workload([Step(title, run, stored=dict.fromkeys(names, NEW_FILE_BYTES), floor=lambda curl: curl.put(names, body, WRITERS))])


def small_files(sizes):
    names = [f"small/{number:04}.pdf" for number in range(sizes.files)]
    order = random.Random(2).sample(names, len(names))  # an application opens what its database names, in no order

    def run(path):
        for name in order:
            with open(path / name, "rb") as file:
                expect(len(file.read()), SMALL_FILE_BYTES, name)

    return Workload([Step(f"{sizes.files} files of 100 KB read by name, cold", run, floor=lambda curl: curl.get(order)),
                     Step(f"the same again {WARM_PAUSE_SECONDS} s later, warm", run, pause_seconds=WARM_PAUSE_SECONDS)],
                    {name: noise(SMALL_FILE_BYTES, 3) for name in names})


def large_body(sizes):
    return Repeated(LARGE_BLOCK, sizes.large_bytes // len(LARGE_BLOCK))


def large_write(sizes):
    def run(path):
        with open(path / "large.bin", "wb", buffering=0) as file:
            for block in large_body(sizes):
                for begin in range(0, len(block), MIB):
                    file.write(block[begin:begin + MIB])

    return Workload([Step(f"{sizes.large_bytes // MIB} MiB written", run, stored={"large.bin": sizes.large_bytes},
                          floor=lambda curl: curl.put_parts("large.bin", large_body(sizes), PARTS_AT_ONCE))])


def read_large(path, size):
    total = 0
    with open(path / "large.bin", "rb", buffering=0) as file:
        while data := file.read(MIB):
            total += len(data)
    expect(total, size, "large.bin")


def large_read(sizes):
    return Workload([Step(f"{sizes.large_bytes // MIB} MiB read, cold", lambda path: read_large(path, sizes.large_bytes),
                          floor=lambda curl: curl.get_ranges("large.bin", ranges(sizes.large_bytes, PART_BYTES), PARTS_AT_ONCE))],
                    {"large.bin": large_body(sizes)})


def long_listing(sizes):
    names = [f"{number:06}.pdf" for number in range(sizes.listed)]

    def run(path):
        listed = subprocess.run(["ls", "-l", path / "listed"], capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"})
        expect(listed.stdout.count(b".pdf\n"), sizes.listed, "lines of ls -l")

    return Workload([Step(f"ls -l of {sizes.listed:,} files, cold", run, floor=lambda curl: curl.list_pages("listed", names))],
                    {f"listed/{name}": b"x" for name in names})


def archive(sizes):
    names = [f"archived/{number:04}.pdf" for number in range(sizes.archived)]

    def run(path):
        # tar does not read files when it writes to /dev/null itself.
        done = subprocess.run("set -o pipefail; tar cf - archived | wc -c", shell=True, executable="/bin/bash", cwd=path,
                              capture_output=True, check=True)
        if int(done.stdout) < sizes.archived * TINY_FILE_BYTES:
            raise RuntimeError(f"tar: {done.stderr.decode(errors='replace')[:200]}")

    return Workload([Step(f"tar of {sizes.archived:,} files of 4 KB, cold", run, floor=lambda curl: curl.get(names, FILES_AT_ONCE))],
                    {name: noise(TINY_FILE_BYTES, 5) for name in names})


class LocalTree:
    """Files on the local disk, made when they are first asked for."""

    def __init__(self, files, size):
        self._files, self._size, self._directory = files, size, None

    def path(self):
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="prefixfs-bench-tree.")
            for number in range(self._files):
                pathlib.Path(self._directory.name, f"{number:04}.txt").write_bytes(noise(self._size, number))
        return pathlib.Path(self._directory.name)


def copy_in(sizes):
    tree = LocalTree(sizes.archived, TINY_FILE_BYTES)
    names = [f"copied/{number:04}.txt" for number in range(sizes.archived)]

    def run(path):
        run_program("cp", "-r", tree.path(), path / "copied")

    return Workload([Step(f"cp -r of {sizes.archived:,} files of 4 KB into the mount", run, before=lambda *_: tree.path(),
                          stored=dict.fromkeys(names, TINY_FILE_BYTES), floor=lambda curl: curl.put(names, noise(TINY_FILE_BYTES, 0)))])


def random_reads(sizes):
    body = noise(sizes.looked_at_bytes, 7)
    chance = random.Random(8)
    places = [chance.randrange(sizes.looked_at_bytes - PLACE_BYTES) for _ in range(sizes.places)]

    def run(path):
        with open(path / "random.bin", "rb", buffering=0) as file:
            for place in places:
                if os.pread(file.fileno(), PLACE_BYTES, place) != body[place:place + PLACE_BYTES]:
                    raise RuntimeError(f"other bytes at {place}")

    return Workload([Step(f"{sizes.places:,} reads of 4 KiB at random places of {sizes.looked_at_bytes // MIB} MiB, cold", run)], {"random.bin": body})


def clone(sizes):
    tree = LocalTree(sizes.cloned, TINY_FILE_BYTES)

    def before(*_):
        def git(*words):
            run_program("git", "-C", tree.path(), "-c", "user.name=bench", "-c", "user.email=bench@example.org", *words)

        if not (tree.path() / ".git").exists():
            git("init")
            git("add", ".")
            git("commit", "-m", "all")

    def run(path):
        run_program("git", "clone", "-q", "--no-hardlinks", tree.path(), path / "clone")

    return Workload([Step(f"git clone of {sizes.cloned} files", run, before=before,
                          stored={f"clone/{number:04}.txt": TINY_FILE_BYTES for number in range(sizes.cloned)})])


def database(sizes):
    def run(path):
        try:
            with contextlib.closing(sqlite3.connect(path / "rows.sqlite", isolation_level=None)) as connection:
                connection.execute("create table rows (number integer, text text)")
                for number in range(sizes.rows):
                    connection.execute("insert into rows values (?, ?)", (number, "x" * 100))
        except sqlite3.Error as error:
            raise RuntimeError(f"sqlite3: {error}") from error

    return Workload([Step(f"sqlite3, {sizes.rows} committed inserts", run)])


def all_of(sizes):
    return [make(sizes) for make in (new_files, new_files_at_once, copy_in, small_files, archive, long_listing, large_write, large_read, random_reads, clone,
                                     database)]
