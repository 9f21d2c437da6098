"""Exact errno values."""

import contextlib
import errno

import pytest


@contextlib.contextmanager
def fails_with(*codes):
    """The block must raise OSError with one of the codes."""
    with pytest.raises(OSError) as raised:
        yield raised
    names = [errno.errorcode[code] for code in codes]
    assert raised.value.errno in codes, f"{errno.errorcode.get(raised.value.errno, raised.value)} is not {' or '.join(names)}"


def outcome(function, *arguments):
    """What a call did, comparable: ("value", x) or ("error", "ENOENT")."""
    try:
        return "value", function(*arguments)
    except OSError as error:
        return "error", errno.errorcode.get(error.errno, str(error))
