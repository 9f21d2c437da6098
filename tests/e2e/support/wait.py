"""Waiting for a state with a deadline; no test sleeps for a time and hopes."""

import time


def until(condition, timeout, what, every=0.02):
    """The first true value of condition(); AssertionError after `timeout` seconds. A condition may raise OSError while it is not yet so."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except OSError as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what} (last: {last!r})")
        time.sleep(every)


def until_quiet(state, timeout, what, looks=25):
    """state(), once so many looks in a row have seen the same."""
    seen = []

    def same():
        seen.append(state())
        return len(seen) >= looks and all(one == seen[-1] for one in seen[-looks:])

    until(same, timeout, f"{what} stays as it is")
    return seen[-1]


class Stopwatch:
    """with Stopwatch() as watch: ...; watch.seconds"""

    def __enter__(self):
        self._start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._start
