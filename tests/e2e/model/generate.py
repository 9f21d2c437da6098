"""Random plans: a function of the seed alone, so that a plan can be printed, shortened and replayed. Operations that make no sense at their
moment (a handle that is not open) are left out by the runner."""

import random

from .disturbances import FAULTS
from .names import DIRECTORIES, FILES, LINKS, MOVED, MOVED_FILES
from .reference import OUTSIDE

HOSTS = ["a", "b"]
SEGMENT = (25, 70)  # operations between two quiet points
SLOTS = 3
SIZES = [(0, 0), (1, 40), (100, 5000), (4000, 20_000), (100_000, 300_000)]
SIZE_WEIGHTS = [1, 4, 6, 3, 1]
LARGE = (5 << 20, 11 << 20)  # several parts
LARGE_SHARE = 0.01

CHANGES = {"write": 12, "append": 5, "patch": 4, "truncate": 2, "save": 3, "rename": 4, "unlink": 4, "open": 5}
ON_HANDLES = {"hwrite": 8, "hread": 4, "hfsync": 2, "htruncate": 1, "hclose": 3}
LOOKS = {"read": 8, "stat": 4, "list": 3}
TREE = {"mkdir": 2, "rmdir": 2}
SPECIAL = {"symlink": 4, "mkfifo": 1, "readlink": 4, "unlink": 2, "rename": 2}
OUTSIDE_CHANGES = {"put": 3, "delete": 1}
OUTSIDE_LOOKS = {"get": 2, "keys": 1}


def pick(randoms, weights):
    return randoms.choices(list(weights), list(weights.values()))[0]


def host_options(randoms):
    words = {"outage_timeout": "1s", "part_size": "5M", "outage": "queue", "log_level": "info"}
    if randoms.random() < 0.5:
        words["commit"] = "journal"
    if randoms.random() < 0.8:
        words["ttl"] = "0s"
    return words


class Generator:
    def __init__(self, seed, disturb=True):
        self._random = random.Random(seed)
        self._seed, self._disturb = seed, disturb
        self._operations = []

    def plan(self, steps):
        hosts = {name: host_options(self._random) for name in HOSTS}
        while len(self._operations) < steps:
            self._segment()
        return {"seed": self._seed, "hosts": hosts, "operations": self._operations}

    def _add(self, do, **more):
        # Tags stay when a plan is shortened: contents, and so what happens, stay the same.
        self._operations.append({"do": do, **more, "tag": len(self._operations)})

    def _segment(self):
        """In a segment most names have one writer, so that what must be is sharp although deliveries take their time."""
        self._writers = {path: pick(self._random, {"a": 35, "b": 35, OUTSIDE: 10, "all": 20}) for path in FILES + LINKS}
        owner = pick(self._random, {"a": 45, "b": 45, "all": 10})  # of what is in directories that are renamed
        self._writers |= dict.fromkeys(MOVED_FILES + MOVED, owner)
        length = self._random.randint(*SEGMENT)
        disturbances = self._disturbances(length) if self._disturb else {}
        for place in range(length):
            for do, more in disturbances.get(place, []):
                self._add(do, **more)
            self._operation()
        self._add("quiet", close=self._random.random() < 0.5)

    def _operation(self):
        actor = pick(self._random, {"a": 42, "b": 42, OUTSIDE: 16})
        mine = [path for path in FILES if self._writers[path] in (actor, "all")]
        if actor == OUTSIDE:
            changes = bool(mine) and self._random.random() < 0.5
            do = pick(self._random, OUTSIDE_CHANGES if changes else OUTSIDE_LOOKS)
            path = self._random.choice(mine if changes else FILES)
            self._add(do, path=path, **({"size": self._size()} if do == "put" else {}))
            return
        moves = self._writers[MOVED[0]] in (actor, "all")
        kinds = {"looks": 4, "tree": 1, "handles": 4, "changes": 7 if mine else 0, "special": 1.5, "moves": 0.7 if moves else 0}
        kind = pick(self._random, kinds)
        if kind == "changes":
            self._change(actor, mine)
        elif kind == "handles":
            self._handle(actor)
        elif kind == "special":
            self._special(actor, [path for path in LINKS if self._writers[path] in (actor, "all")])
        elif kind == "moves":
            self._move(actor)
        elif kind == "looks":
            do = pick(self._random, LOOKS)
            self._add(do, host=actor, path=self._random.choice(["", *DIRECTORIES] if do == "list" else FILES))
        else:
            self._add(pick(self._random, TREE), host=actor, path=self._random.choice(DIRECTORIES))

    def _change(self, actor, mine):
        do, path = pick(self._random, CHANGES), self._random.choice(mine)
        more = {"host": actor, "path": path}
        if do == "write":
            more |= {"how": pick(self._random, {"trunc": 6, "plain": 2, "excl": 3}), "size": self._size(),
                     "halves": self._random.random() < 0.3, "sync": self._random.random() < 0.2}
        elif do == "append":
            more |= {"size": self._size(), "create": self._random.random() < 0.5}
        elif do == "patch":
            more |= {"size": 1 + self._size(), "offset": self._offset()}
        elif do == "truncate":
            more |= {"size": self._offset()}
        elif do == "save":
            more |= {"size": self._size(), "sync": self._random.random() < 0.7}
        elif do == "rename":
            more |= {"to": self._random.choice(mine)}
        elif do == "open":
            more |= {"slot": self._random.randrange(SLOTS), "flags": pick(self._random, {"r": 4, "r+": 3, "w": 3, "c": 2, "x": 1, "a": 2})}
        self._add(do, **more)

    def _handle(self, actor):
        do = pick(self._random, ON_HANDLES)
        more = {"host": actor, "slot": self._random.randrange(SLOTS)}
        if do == "hwrite":
            more |= {"size": 1 + self._size(), "offset": self._offset()}
        elif do == "htruncate":
            more |= {"size": self._offset()}
        self._add(do, **more)

    def _special(self, actor, mine):
        do = pick(self._random, SPECIAL) if mine else "readlink"
        more = {"host": actor, "path": self._random.choice(mine if do != "readlink" else LINKS)}
        if do == "symlink":
            more |= {"size": self._random.randint(1, 200)}
        elif do == "rename":
            more |= {"to": self._random.choice(mine)}
        self._add(do, **more)

    def _move(self, actor):
        """A rename of a directory, often with somebody who is killed in the middle of it."""
        path, to = self._random.sample(MOVED, 2)
        killed = pick(self._random, {"nobody": 5, "worker": 2, "host": 1}) if self._disturb else "nobody"
        if killed == "worker":
            self._add("kill_worker", host=actor, after=self._random.randint(1, 30))
        self._add("rename_directory", host=actor, path=path, to=to, **({"crash": self._random.randint(1, 60)} if killed == "host" else {}))

    def _size(self):
        if self._random.random() < LARGE_SHARE:
            return self._random.randint(*LARGE)
        return self._random.randint(*self._random.choices(SIZES, SIZE_WEIGHTS)[0])

    def _offset(self):
        return pick(self._random, {0: 3, self._random.randint(0, 50): 3, self._random.randint(0, 10_000): 3,
                                   self._random.randint(0, 200_000): 1})

    def _disturbances(self, length):
        """place -> [(operation, its words)]"""
        kind = pick(self._random, {"none": 4, "kill": 2, "crash": 2, "cut": 2, "faults": 2, "upgrade": 1, "remount": 1, "all": 2})
        made = {}

        def at(place, do, **more):
            made.setdefault(min(place, length - 1), []).append((do, more))

        def somewhere():
            return self._random.randrange(length)

        def host():
            return self._random.choice(HOSTS)

        if kind in ("kill", "all"):
            for _ in range(self._random.randint(1, 3)):
                at(somewhere(), "kill_worker", host=host(), after=pick(self._random, {0: 1, 1: 1, 5: 1, 20: 1}))
        if kind in ("crash", "all"):
            at(somewhere(), "crash", host=host())
        if kind in ("upgrade", "remount"):
            at(somewhere(), kind, host=host())
        if kind in ("cut", "all"):
            start, who = somewhere(), self._random.choice([["a"], ["b"], ["a", "b"]])
            for each in who:
                at(start, "cut", host=each)
            end = start + self._random.randint(5, 30)
            for each in who:
                at(end, "heal", host=each)
                at(end, "drain", host=each)
        if kind in ("faults", "all"):
            start = somewhere()
            end = start + self._random.randint(5, 40)
            kinds = self._random.sample(sorted(FAULTS), self._random.randint(1, 2))
            at(start, "faults", kinds=kinds, seed=self._random.randrange(1 << 30))
            at(end, "calm")
            at(end, "drain", host="a")
            at(end, "drain", host="b")
        return made


def generate(seed, steps, disturb=True):
    return Generator(seed, disturb).plan(steps)


def host_options_of(seed):
    """For a run without a plan."""
    randoms = random.Random(seed)
    return {name: host_options(randoms) for name in HOSTS}
