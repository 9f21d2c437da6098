"""What is measured. A workload says which objects are there before, and what a program does in the mount."""

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import random
import sqlite3
import subprocess
import tempfile
import typing

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Sizes:
    files: int
    large_bytes: int
    listed: int
    archived: int
    kills: int
    changed_bytes: int
    tree: int
    crowd: int
    load_seconds: int
    looked_at_bytes: int
    places: int
    cloned: int
    rows: int


FULL = Sizes(files=200, large_bytes=1024 * MIB, listed=10_000, archived=1_000, kills=50, changed_bytes=100_000_000, tree=1_000, crowd=1_000_000, load_seconds=600,
             looked_at_bytes=256 * MIB, places=1_000, cloned=500, rows=100)
QUICK = Sizes(files=20, large_bytes=64 * MIB, listed=1_000, archived=100, kills=5, changed_bytes=20_000_000, tree=100, crowd=100_000, load_seconds=20,
              looked_at_bytes=64 * MIB, places=100, cloned=50, rows=10)
NEW_FILE_BYTES = 500_000
SMALL_FILE_BYTES = 100_000
TINY_FILE_BYTES = 4_000
PLACE_BYTES = 4 << 10
WRITERS = 8
WARM_PAUSE_SECONDS = 2  # longer than the second for which prefixfs, as set here, takes what it knows for fresh


def noise(size, seed):
    numbers, piece = random.Random(seed), 64 * MIB  # randbytes cannot give 256 MiB at once
    return b"".join(numbers.randbytes(min(piece, size - done)) for done in range(0, size, piece))


@dataclasses.dataclass(frozen=True)
class Step:
    """One row of the table. `stored`: name -> size of the objects that must be in the bucket in the end. `settles`: what it changes may reach the
    bucket after it, and is waited for. `check` raises Wrong, or gives back a remark."""
    title: str
    run: typing.Callable  # with the path of each mount
    before: typing.Callable | None = None  # likewise; does not count
    pause_seconds: float = 0  # between `before` and `run`
    stored: dict = dataclasses.field(default_factory=dict)
    settles: bool = False
    check: typing.Callable | None = None  # with the path of a mount that is made afterwards
    seconds_max: float = 900


@dataclasses.dataclass(frozen=True)
class Workload:
    """Steps within one mount, or within one of each of several hosts. `objects`: name -> bytes that another client has put there. `earlier`: what
    programs have done in a mount before."""
    steps: list
    objects: dict = dataclasses.field(default_factory=dict)
    earlier: typing.Callable | None = None
    hosts: int = 1


def expect(size, wanted, what):
    if size != wanted:
        raise RuntimeError(f"{what}: {size} bytes, not {wanted}")


def run_program(*words):
    done = subprocess.run(words, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]}: {done.stderr.decode(errors='replace')[:200]}")


def new_files(sizes):
    names = [f"new-{number:04}.pdf" for number in range(sizes.files)]
    body = noise(NEW_FILE_BYTES, 1)

    def run(path):
        for name in names:
            with open(path / name, "wb") as file:
                file.write(body)

    title = f"{sizes.files} new files of 500 KB, one after another"
    return Workload([Step(title, run, stored=dict.fromkeys(names, NEW_FILE_BYTES))])


def new_files_at_once(sizes):
    names = [f"once-{number:04}.pdf" for number in range(sizes.files)]
    body = noise(NEW_FILE_BYTES, 6)

    def run(path):
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(lambda name: (path / name).write_bytes(body), names))

    title = f"{sizes.files} new files of 500 KB by {WRITERS} threads"
    return Workload([Step(title, run, stored=dict.fromkeys(names, NEW_FILE_BYTES))])


def small_files(sizes):
    names = [f"small/{number:04}.pdf" for number in range(sizes.files)]
    order = random.Random(2).sample(names, len(names))  # an application opens what its database names, in no order

    def run(path):
        for name in order:
            with open(path / name, "rb") as file:
                expect(len(file.read()), SMALL_FILE_BYTES, name)

    return Workload([Step(f"{sizes.files} files of 100 KB read by name, cold", run),
                     Step(f"the same again {WARM_PAUSE_SECONDS} s later, warm", run, pause_seconds=WARM_PAUSE_SECONDS)],
                    {name: noise(SMALL_FILE_BYTES, 3) for name in names})


def large_write(sizes):
    block = noise(8 * MIB, 4)

    def run(path):
        with open(path / "large.bin", "wb", buffering=0) as file:
            for _ in range(sizes.large_bytes // len(block)):
                for begin in range(0, len(block), MIB):
                    file.write(block[begin:begin + MIB])

    return Workload([Step(f"{sizes.large_bytes // MIB} MiB written", run, stored={"large.bin": sizes.large_bytes})])


def large_read(sizes):
    """What large_write has left in the bucket; nothing of it is cached here."""
    def run(path):
        total = 0
        with open(path / "large.bin", "rb", buffering=0) as file:
            while data := file.read(MIB):
                total += len(data)
        expect(total, sizes.large_bytes, "large.bin")

    return Workload([Step(f"{sizes.large_bytes // MIB} MiB read, cold", run)])


def long_listing(sizes):
    def run(path):
        listed = subprocess.run(["ls", "-l", path / "listed"], capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"})
        expect(listed.stdout.count(b".pdf\n"), sizes.listed, "lines of ls -l")

    return Workload([Step(f"ls -l of {sizes.listed:,} files, cold", run)],
                    {f"listed/{number:06}.pdf": b"x" for number in range(sizes.listed)})


def archive(sizes):
    def run(path):
        # tar does not read files when it writes to /dev/null itself.
        done = subprocess.run("set -o pipefail; tar cf - archived | wc -c", shell=True, executable="/bin/bash", cwd=path,
                              capture_output=True, check=True)
        if int(done.stdout) < sizes.archived * TINY_FILE_BYTES:
            raise RuntimeError(f"tar: {done.stderr.decode(errors='replace')[:200]}")

    return Workload([Step(f"tar of {sizes.archived:,} files of 4 KB, cold", run)],
                    {f"archived/{number:04}.pdf": noise(TINY_FILE_BYTES, 5) for number in range(sizes.archived)})


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

    def run(path):
        run_program("cp", "-r", tree.path(), path / "copied")

    return Workload([Step(f"cp -r of {sizes.archived:,} files of 4 KB into the mount", run, before=lambda *_: tree.path(),
                          stored={f"copied/{number:04}.txt": TINY_FILE_BYTES for number in range(sizes.archived)})])


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
