"""Contents that carry their checksum, so that whoever finds a file can tell whether it is whole."""

import hashlib
import random
import struct

_MAGIC = b"rec1"
_HEADER = struct.Struct(">4sIII32s")  # magic, process, number, length of the body, SHA-256 of the body


def record(process, number, size):
    body = random.Random(f"{process}.{number}").randbytes(size)
    return _HEADER.pack(_MAGIC, process, number, size, hashlib.sha256(body).digest()) + body


def records_in(content):
    """[(process, number), ...]; ValueError where the content is no row of whole records."""
    found, place = [], 0
    while place < len(content):
        if len(content) - place < _HEADER.size:
            raise ValueError(f"at {place} of {len(content)} bytes a record is cut")
        magic, process, number, size, digest = _HEADER.unpack_from(content, place)
        if magic != _MAGIC:
            raise ValueError(f"at {place} of {len(content)} bytes no record begins: {content[place:place + 16].hex(' ')}")
        body = content[place + _HEADER.size:place + _HEADER.size + size]
        if len(body) < size or hashlib.sha256(body).digest() != digest:
            raise ValueError(f"at {place} of {len(content)} bytes record {process}.{number} ({size} bytes) is not whole")
        found.append((process, number))
        place += _HEADER.size + size
    return found
