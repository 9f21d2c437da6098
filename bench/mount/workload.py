"""What a workload is: which objects are there before, and what a program does in the mount. How much of everything there is."""

import dataclasses
import itertools
import random
import subprocess
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
    long_list: int
    load_seconds: int
    looked_at_bytes: int
    places: int
    cloned: int
    rows: int
    few_and_many: tuple


FULL = Sizes(files=200, large_bytes=1024 * MIB, listed=10_000, archived=1_000, kills=50, changed_bytes=100_000_000, tree=1_000, crowd=1_000_000, long_list=100_000,
             load_seconds=600, looked_at_bytes=256 * MIB, places=1_000, cloned=500, rows=100, few_and_many=(300, 3_000))
QUICK = Sizes(files=20, large_bytes=64 * MIB, listed=1_000, archived=100, kills=5, changed_bytes=20_000_000, tree=100, crowd=100_000, long_list=10_000, load_seconds=20,
              looked_at_bytes=64 * MIB, places=100, cloned=50, rows=10, few_and_many=(30, 300))
ROUNDS = 3  # of each workload, at most
WARM_PAUSE_SECONDS = 2  # longer than the second for which prefixfs, as set here, takes what it knows for fresh


class NotHere(Exception):
    """This machine cannot tell."""


def noise(size, seed):
    numbers, piece = random.Random(seed), 64 * MIB  # randbytes cannot give 256 MiB at once
    return b"".join(numbers.randbytes(min(piece, size - done)) for done in range(0, size, piece))


@dataclasses.dataclass(frozen=True)
class Repeated:
    """The bytes of a large object: a block over and over."""
    block: bytes
    count: int

    def __len__(self):
        return len(self.block) * self.count

    def __iter__(self):
        return itertools.repeat(self.block, self.count)


@dataclasses.dataclass(frozen=True)
class Step:
    """One row of the table. `stored`: name -> size of the objects that must be in the bucket in the end. `settles`: what it changes may reach the
    bucket after it, and is waited for. `check` raises Wrong, or gives back a remark. `floor`: the same without a mount. `local`: whether the
    local disk is worth a comparison."""
    title: str
    run: typing.Callable  # with the path of each mount
    before: typing.Callable | None = None  # likewise; does not count
    pause_seconds: float = 0  # between `before` and `run`
    stored: dict = dataclasses.field(default_factory=dict)
    settles: bool = False
    check: typing.Callable | None = None  # with the path of a mount that is made afterwards
    seconds_max: float = 900
    floor: typing.Callable | None = None  # with a Curl
    local: bool = False


@dataclasses.dataclass(frozen=True)
class Workload:
    """Steps within one mount, or within one of each of several hosts. `objects`: name -> bytes that another client has put there. `earlier`: what
    programs have done in a mount before. `rounds`: how often it is run on each tool, at most. `one_of`: kinds of which
    one tool is enough, where they are slow."""
    steps: list
    objects: dict = dataclasses.field(default_factory=dict)
    earlier: typing.Callable | None = None
    hosts: int = 1
    rounds: int = ROUNDS
    one_of: tuple = ()


def expect(size, wanted, what):
    if size != wanted:
        raise RuntimeError(f"{what}: {size} bytes, not {wanted}")


def run_program(*words):
    done = subprocess.run(words, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]}: {done.stderr.decode(errors='replace')[:200]}")
