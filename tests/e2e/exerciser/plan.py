"""A plan (the mount's options and the operations) from a seed, and from nothing else. What an operation does depends on its own words alone, so that
operations can be left out and the rest does the same."""

import os
import random

SLOTS = ["a", "b", "c"]
MIB = 1 << 20

# What the sizes of a plan come from: the largest file, and how long a read or write may be, with weights.
NORMAL = {"largest": 3 * MIB, "lengths": {16: 3, 5_000: 5, 70_000: 4, 400_000: 1}}
LARGE = {"largest": 40 * MIB, "lengths": {5_000: 3, 300_000: 3, 3 * MIB: 3, 9 * MIB: 2}}

WEIGHTS = {
    "open": 10, "close": 11, "fsync": 3, "stat": 4,
    "write": 16, "append": 4, "ftruncate": 5, "truncate": 1.5,
    "read": 14, "read_all": 3, "read_while_written": 2, "seek": 3, "dontneed": 3,
    "allocate": 2, "punch": 3, "zero_range": 1, "posix_fallocate": 0.7,
    "copy": 3, "copy_out": 1.5, "copy_back": 1.5,
    "map": 3, "map_write": 7, "map_read": 5, "map_sync": 2, "unmap": 2, "map_late": 1,
    "remount": 0.25, "outside": 0.7,
}
ON_MAPPINGS = {"map", "map_write", "map_read", "map_sync", "unmap", "map_late"}

# Places where something begins or ends: a page, the kernel's largest requests, prefixfs's first block and its parts.
UNITS = [4096, 65_536, 131_072, MIB, 5 * MIB]

DRAINED = 0.25  # of the operations with commit=journal: S3 is waited for, and the object compared

ACCESS = [(os.O_RDWR, 8), (os.O_WRONLY, 1), (os.O_RDONLY, 2)]


def options_of(rng, commit, large):
    """-o words of the mount."""
    words = {"commit": commit}
    if large:
        words["part_size"] = "5M"
    if rng.random() < 0.4:
        words["ttl"] = rng.choice(["0", "0", "60s"])
    if rng.random() < 0.3:
        words["cache_size"] = "1M"
    return words


class Generator:
    def __init__(self, rng, sizes, mappings):
        self._rng, self._largest, self._lengths = rng, sizes["largest"], sizes["lengths"]
        self._weights = {do: weight for do, weight in WEIGHTS.items() if mappings or do not in ON_MAPPINGS}
        self._size = 0  # of the file, about

    def operations(self, steps):
        return [self._operation() for _ in range(steps)]

    def _operation(self):
        do = self._rng.choices(list(self._weights), list(self._weights.values()))[0]
        return {"do": do, **getattr(self, f"_{do}", dict)()}

    def _slot(self):
        return self._rng.choice(SLOTS)

    def _length(self):
        below = self._rng.choices(list(self._lengths), list(self._lengths.values()))[0]
        return self._rng.randint(1, below)

    def _place(self):
        """An offset; often where something begins or ends, seldom far behind the end."""
        kind = self._rng.random()
        if kind < 0.35:
            place = self._rng.randint(0, self._size)
        elif kind < 0.5:
            place = self._size
        elif kind < 0.8:
            unit = self._rng.choice([unit for unit in UNITS if unit <= self._largest])
            place = unit * self._rng.randint(0, max(1, self._size // unit)) + self._rng.choice([-1, 0, 0, 1])
        elif kind < 0.9:
            place = self._size + self._length()
        else:
            place = self._rng.choice([0, 1])
        return max(0, min(place, self._largest - 1))

    def _range(self):
        offset = self._place()
        return offset, min(self._length(), self._largest - offset)

    def _open(self):
        flags = self._rng.choices([flag for flag, _ in ACCESS], [weight for _, weight in ACCESS])[0]
        flags |= os.O_CREAT
        if flags & os.O_ACCMODE != os.O_RDONLY:
            flags |= os.O_APPEND if self._rng.random() < 0.2 else 0
            if self._rng.random() < 0.06:
                flags |= os.O_TRUNC
                self._size = 0
        return {"slot": self._slot(), "flags": flags}

    def _fsync(self):
        return {"slot": self._slot(), "data_only": self._rng.random() < 0.3}

    def _stat(self):
        return {"slot": self._slot()}

    _close = _read_all = _dontneed = _stat

    def _write(self):
        offset, size = self._range()
        self._size = max(self._size, offset + size)
        return {"slot": self._slot(), "offset": offset, "size": size}

    def _append(self):
        size = min(self._length(), self._largest - self._size)
        self._size += size
        return {"slot": self._slot(), "size": size}

    def _ftruncate(self):
        self._size = self._place()
        return {"slot": self._slot(), "size": self._size}

    def _truncate(self):
        self._size = self._place()
        return {"size": self._size}

    def _read(self):
        offset, size = self._range()
        return {"slot": self._slot(), "offset": offset, "size": size}

    _punch = _read

    def _read_while_written(self):
        first, second = self._rng.sample(SLOTS, 2)
        offset, size = self._range()
        around = self._rng.choice([0, 100, 20_000])
        self._size = max(self._size, offset + size)
        return {"slot": first, "reader": second, "offset": offset, "size": size, "around": around}

    def _seek(self):
        return {"slot": self._slot(), "offset": self._rng.choice([0, 0, self._place()])}

    def _allocate(self):
        return {**self._write(), "keep_size": self._rng.random() < 0.4}

    _zero_range = _allocate
    _posix_fallocate = _write

    def _copy(self):
        """Within the file; where the ranges overlap, EINVAL is the answer."""
        offset, size = self._range()
        target = self._place()
        self._size = max(self._size, min(target + size, self._largest))
        return {"source": self._slot(), "slot": self._slot(), "offset": offset, "target": target, "size": min(size, self._largest - target)}

    def _copy_out(self):
        offset, size = self._range()
        return {"slot": self._slot(), "offset": offset, "target": self._place(), "size": size, "anew": self._rng.random() < 0.3}

    def _copy_back(self):
        offset, size = self._range()
        self._size = max(self._size, offset + size)
        return {"slot": self._slot(), "offset": self._place(), "target": offset, "size": size}

    def _map(self):
        return {"slot": self._slot(), "mapping": self._rng.choice(["m", "n"])}

    def _map_write(self):
        """`mapping`: one that is held; where it is not, or None, one for this operation alone."""
        offset, size = self._range()
        return {"slot": self._slot(), "mapping": self._rng.choice(["m", "n", None]), "offset": offset, "size": size,
                "sync": self._rng.random() < 0.4, "read_back": self._rng.random() < 0.5}

    def _map_read(self):
        offset, size = self._range()
        return {"slot": self._slot(), "mapping": self._rng.choice(["m", "n", None]), "offset": offset, "size": size}

    def _map_sync(self):
        return {"mapping": self._rng.choice(["m", "n"])}

    _unmap = _map_sync

    def _map_late(self):
        """A mapping that outlives its descriptor."""
        return {**self._map_write(), "slot": self._slot()}

    def _remount(self):
        return {"cold": self._rng.random() < 0.5}


def generate(seed, steps, commit="close", mappings=True, large=False):
    rng = random.Random(f"exerciser {seed}")
    options = options_of(rng, commit, large)
    operations = Generator(rng, LARGE if large else NORMAL, mappings).operations(steps)
    for number, operation in enumerate(operations):
        operation |= {"tag": number, "drain": rng.random() < DRAINED}
    return {"seed": seed, "options": options, "operations": operations}
