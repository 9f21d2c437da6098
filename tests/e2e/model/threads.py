"""Both hosts at once on the same names. What must be is weaker then: nobody sees a mixture, and no acknowledged bytes vanish unless something that
may overwrite them came after, or they are in kept/."""

import dataclasses
import os
import random
import threading
import time

from support import admin
from support.admin import prefixfs
from support.wait import until

from .checks import Difference, attempt
from .disturbances import DRAIN
from .outside_operations import get_or_none
from .records import names_in, record

LOGS = ["log0", "log1"]  # only appended to
DOCUMENTS = ["doc0", "doc1", "doc2"]  # written anew, saved by rename, removed
LOCKS = [f"lock{i}" for i in range(40)]  # each made with O_EXCL by both
ALLOWED = {"ENOENT", "EEXIST", "ESTALE"}
# A worker that has lived longer is followed by the next one at once; others after pauses that grow.
LIVES_LONG = 1.6  # seconds
WEIGHTS = {"append": 5, "write": 3, "save": 2, "unlink": 1, "read": 6, "lock": 2}


@dataclasses.dataclass
class Deed:
    """Something that has changed a name, or may have."""

    host: str
    path: str
    name: str | None  # of the record
    start: float
    end: float = 0.0
    acknowledged: bool = False
    overwrites: bool = False


class Worker(threading.Thread):
    """The programs of one host."""

    def __init__(self, host, seed, steps):
        super().__init__()
        self.host, self.deeds, self.problem = host, [], None
        self._random, self._steps, self._numbers, self._locks = random.Random(f"{seed}{host.name}"), steps, 0, list(LOCKS)

    def run(self):
        try:
            for _ in range(self._steps):
                do = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
                getattr(self, f"_{do}")()
        except Exception as problem:  # told by the thread that waits for this one
            self.problem = problem

    def _record(self):
        self._numbers += 1
        size = self._random.choice([10, 700, 9_000, 60_000])
        return record(self.host.name, self._numbers, size)

    def _change(self, path, call, name=None, overwrites=False):
        deed = Deed(self.host.name, path, name, time.monotonic(), overwrites=overwrites)
        self.deeds.append(deed)
        kind, got = attempt(call)
        deed.end, deed.acknowledged = time.monotonic(), kind == "value"
        if kind == "error" and got not in ALLOWED:
            raise Difference(f"host {self.host.name}, {path}: {got}")
        return deed.acknowledged

    def _store(self, path, flags, overwrites):
        data = self._record()

        def call():
            descriptor = os.open(self.host.path(path), flags | os.O_CREAT | os.O_WRONLY, 0o644)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)

        return self._change(path, call, names_in(data)[0], overwrites)

    def _append(self):
        self._store(self._random.choice(LOGS), os.O_APPEND, False)

    def _write(self):
        self._store(self._random.choice(DOCUMENTS), os.O_TRUNC, True)

    def _lock(self):
        if self._locks:
            self._store(self._locks.pop(0), os.O_EXCL, False)

    def _save(self):
        path = self._random.choice(DOCUMENTS)
        between = f".{path}.{self.host.name}.tmp"
        if self._store(between, os.O_TRUNC, True):
            name = self.deeds[-1].name
            self._change(path, lambda: os.rename(self.host.path(between), self.host.path(path)), name, True)
            self.deeds.append(dataclasses.replace(self.deeds[-1], path=between, name=None))

    def _unlink(self):
        path = self._random.choice(DOCUMENTS)
        self._change(path, lambda: os.unlink(self.host.path(path)), None, True)

    def _read(self):
        path = self._random.choice(LOGS + DOCUMENTS)
        if path in DOCUMENTS:
            self._read_whole(path)
        else:
            until(lambda: self._is_read_whole(path), 20, f"host {self.host.name} reads {path} in whole records")

    def _is_read_whole(self, path):
        """What this host has appended moves when it is put behind what another one has; who reads meanwhile may see it at both places."""
        try:
            self._read_whole(path)
        except Mixture:
            return False
        return True

    def _read_whole(self, path):
        def whole():
            with open(self.host.path(path), "rb", buffering=0) as file:
                return file.readall()

        kind, got = attempt(whole)
        if kind == "error" and got not in ALLOWED:
            raise Difference(f"host {self.host.name} reads {path}: {got}")
        if kind == "value":
            check_whole(f"host {self.host.name} reads {path}", got)


class Mixture(Difference):
    """A content that is no row of whole records."""


def check_whole(what, content):
    try:
        return names_in(content)
    except ValueError as problem:
        raise Mixture(f"{what}: {problem}") from None


def run_threads(world, seed, steps, kill=False):
    """Raises Difference. `world`: started; `kill`: the workers of both hosts are killed meanwhile."""
    workers = [Worker(host, seed, steps) for host in world.hosts.values()]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        for worker in workers:
            worker.join(LIVES_LONG)
            if kill and worker.is_alive():
                worker.host.mount.kill_worker()
    for worker in workers:
        if worker.problem is not None:
            raise worker.problem
    check_rest(world, [deed for worker in workers for deed in worker.deeds])


def check_rest(world, deeds):
    for host in world.hosts.values():
        said = prefixfs("drain", host.mount.path, "--timeout", DRAIN, timeout=90)
        if said.status != 0:
            raise Difference(f"drain of host {host.name}: {said}")
    paths = sorted({deed.path for deed in deeds})
    bucket = {path: get_or_none(world.space, path) for path in paths}
    present = {path: check_whole(f"the object {path}", content or b"") for path, content in bucket.items()}
    journals = {name for name, host in world.hosts.items() if host.mount.options.get("commit") == "journal"}
    lost = [deed for deed in deeds if vanished(deed, deeds, present, journals)]
    until(lambda: all(is_kept(world, deed) for deed in lost), 10, f"kept: {[deed for deed in lost if not is_kept(world, deed)][:5]}")
    check_locks(world, deeds)
    for host in world.hosts.values():
        until(lambda: shown(host, paths) == bucket, 10, f"host {host.name} shows what the bucket has")
    until(lambda: world.space.uploads() == [], 10, "no multipart upload is left open")


def vanished(deed, deeds, present, journals):
    """It was acknowledged, and is neither there nor overwritten by what came after (or meanwhile). What another host's journal has acknowledged
    before may come after it, at its delivery."""
    if not deed.acknowledged or deed.name is None or deed.name in present[deed.path]:
        return False
    return not any(other is not deed and other.overwrites and other.path == deed.path and
                   (other.end > deed.start or (other.host != deed.host and other.host in journals)) for other in deeds)


def check_locks(world, deeds):
    """With commit=close, O_EXCL is given to one of the two."""
    if any(host.mount.options.get("commit") == "journal" for host in world.hosts.values()):
        return
    for path in LOCKS:
        holders = [deed.host for deed in deeds if deed.path == path and deed.acknowledged]
        if len(holders) > 1:
            raise Difference(f"{path} was made with O_EXCL by {holders}")


def is_kept(world, deed):
    for entry in admin.kept(world.hosts[deed.host].mount):
        if entry["path"] == deed.path:
            with open(entry["file"], "rb") as file:
                if f"<{deed.name}:".encode() in file.read():
                    return True
    return False


def shown(host, paths):
    def content(path):
        try:
            with open(host.path(path), "rb", buffering=0) as file:
                return file.readall()
        except FileNotFoundError:
            return None

    return {path: content(path) for path in paths}
