"""How much of the local disk a mount takes for the bytes of files, while a program runs."""

import contextlib
import threading

EVERY = 0.005  # seconds


def staged_bytes(mount):
    total = 0
    for path in (mount.cache_dir / "stage").iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512
    return total


class StageWatch:
    """with StageWatch(mount) as watch: ...; watch.most: the largest number of bytes that was seen."""

    def __init__(self, mount):
        self._mount, self._ended = mount, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = 0

    def _look(self):
        while not self._ended.wait(EVERY):
            self.most = max(self.most, staged_bytes(self._mount))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
