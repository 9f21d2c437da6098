"""File contents made of records that say who wrote them and how long they are, so that a mixture is recognised."""

import re

HEADER = re.compile(rb"<([a-z]\d{6}):(\d{7})>")


def record(writer, number, size):
    """About `size` bytes."""
    name = f"{writer}{number:06d}".encode()
    head = b"<%s:%07d>" % (name, max(0, size))
    return head + (name * (size // len(name) + 1))[:max(0, size)]


def names_in(content):
    """The records of a content, in order. ValueError: it is no row of whole records."""
    found, place = [], 0
    while place < len(content):
        head = HEADER.match(content, place)
        if head is None:
            raise ValueError(f"at {place} of {len(content)} bytes begins no record: {content[place:place + 20]!r}")
        name, size = head[1], int(head[2])
        whole = record(name[:1].decode(), int(name[1:]), size)
        if content[place:place + len(whole)] != whole:
            raise ValueError(f"the record at {place} of {len(content)} bytes is not whole")
        found.append(name.decode())
        place += len(whole)
    return found
