"""What a call did, held against what it may do."""

import errno


class Difference(AssertionError):
    """prefixfs did what the reference does not allow."""


class Skip(Exception):
    """The reference cannot say what this operation would do now; it is left out."""


def attempt(function, *arguments):
    """("value", x) or ("error", "ENOENT")"""
    try:
        return "value", function(*arguments)
    except OSError as error:
        return "error", errno.errorcode.get(error.errno, str(error))


def brief(content):
    """A content as it can be read in a message: runs of the same tag."""
    if not isinstance(content, bytes):
        return repr(content)
    runs, place = [], 0
    while place < len(content) and len(runs) < 12:
        tag, end = content[place:place + 8], place + 8
        while content[end:end + 8] == tag:
            end += 8
        runs.append(f"{tag.decode(errors='replace')}*{(end - place) / 8:g}" if tag.strip(b"\0") else f"zeros*{(end - place) / 8:g}")
        place = end
    return f"<{len(content)} bytes: {' '.join(runs)}{' ...' if place < len(content) else ''}>"


class Expectation:
    """Values and errors that a call may give."""

    def __init__(self, what):
        self.what, self.values, self.errors, self.any_value = what, [], set(), False

    def value(self, *values):
        self.values += values
        return self

    def error(self, *names, when=True):
        if when:
            self.errors |= set(names)
        return self

    def check(self, outcome):
        """(True, value) or (False, errno's name)"""
        kind, got = outcome
        if (got in self.values) if kind == "value" else (got in self.errors):
            return kind == "value", got
        allowed = [brief(value) for value in self.values] + sorted(self.errors)
        raise Difference(f"{self.what}: {brief(got) if kind == 'value' else got} is not {' or '.join(allowed) or 'possible'}")
