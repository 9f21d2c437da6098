"""Bytes that tell which operation wrote them, and what is said of two contents that differ."""

import random

STOCK = 16 << 20
LENGTH_SHOWN = 16
LENGTH_TOLD = 4  # fewer bytes are found anywhere


class Stock:
    """Random bytes; each operation writes a piece of them that begins at a place of its own."""

    def __init__(self, seed):
        self._bytes = random.Random(f"stock {seed}").randbytes(STOCK)
        self._writes = []  # (tag, where in the file; None: at its end, size)

    @staticmethod
    def _start(tag, size):
        return random.Random(f"start {tag}").randrange(STOCK - size)

    def piece(self, tag, size, offset=None):
        self._writes.append((tag, offset, size))
        start = self._start(tag, size)
        return self._bytes[start:start + size]

    def origin(self, found):
        """Which operation wrote these bytes, in words."""
        if not found.strip(b"\0"):
            return "zeros"
        place = self._bytes.find(found) if len(found) >= LENGTH_TOLD else -1
        if place < 0:
            return "unknown"
        told = []
        for tag, offset, size in self._writes:
            within = place - self._start(tag, size)
            if 0 <= within < size:
                told.append(f"byte {within} of what step {tag} wrote" + (f" to {offset}, so of {offset + within}" if offset is not None else ""))
        return ", ".join(told) or "no operation's"


def first_difference(got, expected):
    """The first offset at which they differ; None: they do not."""
    if got == expected:
        return None
    low, high = 0, min(len(got), len(expected))
    if got[:high] == expected[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if got[low:middle] == expected[low:middle] else (low, middle)
    return low


def last_difference(got, expected):
    return max(place for place in range(min(len(got), len(expected))) if got[place] != expected[place])


def tell(what, got, expected, stock, base=0):
    """One line about two contents; `base` is where in the file they begin."""
    place = first_difference(got, expected)
    lengths = f"{len(got)} bytes, and not {len(expected)}" if len(got) != len(expected) else f"{len(got)} bytes"
    if place == min(len(got), len(expected)):
        return f"{what}: {lengths}; equal up to there, offset {base + place}"
    end = place + 1
    while end < min(place + LENGTH_SHOWN, len(got), len(expected)) and got[end] != expected[end]:
        end += 1
    mine, theirs = got[place:end], expected[place:end]
    return (f"{what}: {lengths}; the first difference is at offset {base + place}, the last at {base + last_difference(got, expected)}: "
            f"{mine.hex(' ')} ({stock.origin(mine)}) should be {theirs.hex(' ')} ({stock.origin(theirs)})")
