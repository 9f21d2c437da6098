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
from workload import MIB, WARM_PAUSE_SECONDS, NotHere, Repeated, Step, Workload, expect, noise, run_program

NEW_FILE_BYTES = 500_000
SMALL_FILE_BYTES = 100_000
TINY_FILE_BYTES = 4_000
PLACE_BYTES = 4 << 10
WRITERS = READERS = 8
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
                    {f"listed/{name}": b"x" for name in names}, one_of=("rclone",))


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


# Where nothing is written prefixfs is the same in both of its ways to commit; and where rclone is slow, one is enough.
ALIKE = ("prefixfs", "rclone")
SLOW = {"rounds": 1, "one_of": ALIKE}


def texts(sizes):
    """Names and bytes of 1,000 small files, of which the one in the middle has a word that the others have not."""
    text = b"all of them have this line\n" * (TINY_FILE_BYTES // 27)
    return {f"archived/{number:04}.txt": text + (b"needle\n" if number == sizes.archived // 2 else b"") for number in range(sizes.archived)}


def search(sizes):
    files = texts(sizes)

    def run(path):
        found = subprocess.run(["grep", "-rl", "needle", "archived"], cwd=path, capture_output=True, text=True)
        if found.stdout.split() != [f"archived/{sizes.archived // 2:04}.txt"]:
            raise RuntimeError(f"grep: {found.stdout[:100]} {found.stderr[:100]}")

    return Workload([Step(f"grep -r of {sizes.archived:,} files of 4 KB, cold", run, floor=lambda curl: curl.get(files, FILES_AT_ONCE))], files, **SLOW)


def pool(sizes):
    files = texts(sizes)

    def run(path):
        def read(name):
            expect(len((path / "archived" / name).read_bytes()), len(files[f"archived/{name}"]), name)

        with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
            expect(len(list(readers.map(read, sorted(os.listdir(path / "archived"))))), sizes.archived, "archived/")

    return Workload([Step(f"{sizes.archived:,} files of 4 KB read in order by {READERS} threads, cold", run, floor=lambda curl: curl.get(files, FILES_AT_ONCE))],
                    files, **SLOW)


def copy_out(sizes):
    files = texts(sizes)

    def run(path):
        with tempfile.TemporaryDirectory(prefix="prefixfs-bench-out.") as directory:
            run_program("cp", "-r", path / "archived", directory)
            copied = sum(entry.stat().st_size for entry in os.scandir(f"{directory}/archived"))
        expect(copied, sum(map(len, files.values())), "the copies")

    return Workload([Step(f"cp -r of {sizes.archived:,} files of 4 KB out of the mount, cold", run, floor=lambda curl: curl.get(files, FILES_AT_ONCE))],
                    files, **SLOW)


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


def seek(sizes):
    """As a player does: the file stays open."""
    middle, opened = sizes.large_bytes // 2, []

    def look(file, place):
        if os.pread(file.fileno(), 1, place) != LARGE_BLOCK[place % PART_BYTES:][:1]:
            raise RuntimeError(f"another byte at {place}")

    def first(path):
        opened.append(open(path / "large.bin", "rb", buffering=0))
        look(opened[0], 0)

    def then(_):
        if not opened:
            raise RuntimeError("it could not be opened")
        with opened.pop() as file:
            look(file, middle)

    return Workload([Step(f"the first byte of {sizes.large_bytes // MIB} MiB, cold", first, floor=lambda curl: curl.get_ranges("large.bin", [(0, 0)])),
                     Step("then one byte in the middle", then, floor=lambda curl: curl.get_ranges("large.bin", [(middle, middle)]))],
                    {"large.bin": large_body(sizes)})


def forget_pages(*_):
    """What the kernel has of files; the caches of the mounts on the disk stay."""
    try:
        os.sync()
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
    except PermissionError:
        raise NotHere("needs root") from None


def reading_again(title, run, read_all):
    """Steps of what was read as a whole before: as the kernel has it, and as the cache on the disk has it."""
    return [Step(f"{title}, warm", run, before=read_all, local=True), Step(f"{title}, warm, without the page cache", run, before=forget_pages, local=True)]


def large_read_again(sizes):
    def run(path):
        read_large(path, sizes.large_bytes)

    return Workload(reading_again(f"{sizes.large_bytes // MIB} MiB read again", run, run), {"large.bin": large_body(sizes)}, one_of=ALIKE)


class RandomReads:
    """4 KiB each, and what they must be."""

    def __init__(self, sizes):
        self.body, chance = noise(sizes.looked_at_bytes, 7), random.Random(8)
        self._places = [chance.randrange(sizes.looked_at_bytes - PLACE_BYTES) for _ in range(sizes.places)]
        self.title = f"{sizes.places:,} reads of 4 KiB at random places of {sizes.looked_at_bytes // MIB} MiB"

    def run(self, path):
        with open(path / "random.bin", "rb", buffering=0) as file:
            for place in self._places:
                if os.pread(file.fileno(), PLACE_BYTES, place) != self.body[place:place + PLACE_BYTES]:
                    raise RuntimeError(f"other bytes at {place}")


def random_reads(sizes):
    reads = RandomReads(sizes)
    return Workload([Step(f"{reads.title}, cold", reads.run)], {"random.bin": reads.body}, one_of=("rclone",))


def random_reads_again(sizes):
    reads = RandomReads(sizes)
    return Workload(reading_again(reads.title, reads.run, lambda path: expect(len((path / "random.bin").read_bytes()), len(reads.body), "random.bin")),
                    {"random.bin": reads.body}, one_of=ALIKE)


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
    return [make(sizes) for make in (new_files, new_files_at_once, copy_in, small_files, archive, search, pool, copy_out, long_listing, large_write, large_read,
                                     seek, large_read_again, random_reads, random_reads_again, clone, database)]
