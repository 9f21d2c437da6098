"""What may be seen of each name: the states that were acknowledged, who may still believe an older one, and which of them may be in S3.

A name is a file's path or a directory's marker (`d/`), below the mount. Its states are its `versions`, in the order of their acknowledgement; that it is absent is
a state too. For each observer (the hosts, and "outside" for the other S3 client) a floor says from which version on it may believe. Three things make
what may be seen a set rather than one state:
- a host's freshness window: what others have changed may be unseen until it has passed;
- a version that is `pending`: acknowledged by a host's journal, and perhaps not in S3 yet;
- a version that is `uncertain`: a call failed under a disturbance, and its change may have been made or not.
A name is `contested` when somebody else changed it while a version was pending: then it is settled at the delivery who wins, and all versions since the
last quiet point may be seen until the next one. There the bucket says what is, and settle() whether that may be."""

import dataclasses
import itertools

OUTSIDE = "outside"

# Contents of what is no file.
LINK = b"link to "  # and the target
FIFO = b"fifo"

# S3's answer is believed for a window, and then the kernel may believe for a window what it was told at its end.
WINDOWS_UNTIL_SEEN = 2

# Of more appends to one name between two quiet points not all orders are thought of.
TAILS_MAX = 5
# Shorter contents do not tell who has written them.
TELLING_BYTES = 8


@dataclasses.dataclass(eq=False)
class Version:
    content: bytes | None
    actor: str
    order: int
    time: float
    appended: bytes | None = None  # nothing but this was added to `base`
    base: "Version | None" = None  # what S3 must still have for it to be stored; None: whatever there is
    pending: bool = False
    journalled: bool = False  # it was pending once
    uncertain: bool = False
    moved_from: frozenset = frozenset()  # names that S3 must still have as they were for it to get its name: a rename that is owed


@dataclasses.dataclass(eq=False)
class Inode:
    """A file that a host has open."""

    path: str | None  # None: it has no name any more
    content: bytes
    version: Version | None  # what it was made from
    appended: bytes | None = b""  # to `version`, and nothing else was done; None: something else was
    dirty: bool = False
    overwrites: bool = False  # the last writer wins
    stored: bool = True  # S3 has had some state of it
    untouched: bool = False  # made or emptied by open(), and not written since
    exclusive: bool = False
    made_here: bool = False  # it is new: what is appended to it, and nothing, goes behind whatever is there
    perhaps_new: bool = False  # open() has emptied it, or made it: then it does not overwrite what others make, until it is written
    half_stored: bool = False  # one of several closes may have stored it
    broken: str | None = None  # the errno that each later close must give
    survived: bool = False  # its worker was replaced: the next one cannot know whether the file was being stored
    met_others: bool = False  # somebody else has changed what is behind its name since it was opened
    replaced: bool = False  # never stored, and renamed over something that is to go
    shared: set = dataclasses.field(default_factory=set)  # slots of its handles
    writers: set = dataclasses.field(default_factory=set)  # those that may write

    @property
    def leads(self):
        """Its host sees the file as it is here, whatever S3 has."""
        return self.dirty or bool(self.writers)

    @property
    def merges(self):
        """What it has for S3 goes behind what others have made of the name."""
        return self.appended is not None and (self.made_here or (bool(self.appended) and not self.overwrites))


@dataclasses.dataclass
class Refused:
    """A program was told that it is not stored."""

    host: str
    content: bytes
    appended: bytes | None  # goes behind what others have made of the name


@dataclasses.dataclass(eq=False)
class Host:
    name: str
    window: float  # seconds
    journal: bool  # commit=journal
    disturbed: bool = False  # faults, an outage, or what they have left behind
    calm_since: float = 0.0
    inodes: list = dataclasses.field(default_factory=list)
    kept_directories: set = dataclasses.field(default_factory=set)  # directories that may stay here without marker and files

    @property
    def synchronous(self):
        return not self.journal and not self.disturbed

    def attached(self, path):
        return next((inode for inode in self.inodes if inode.path == path), None)


class Name:
    def __init__(self, content, order, now):
        self.restart(content, order, now)

    def restart(self, content, order, now):
        self.versions = [Version(content, OUTSIDE, order, now)]
        self.floor = {}
        self.contested = False
        self.refused = []  # Refused
        self.kept = []  # (host, content): the same, where nobody has promised to keep it

    def merged(self):
        """Contents that come about when appends are put behind what others have made of the name: one after another, or some of them."""
        if not self.contested:
            return []
        made = [version.content for version in self.versions if version.content is not None]
        merged = []
        for tail in [version.appended for version in self.versions if version.appended][:TAILS_MAX]:
            merged += [content + tail for content in made + merged if not content.endswith(tail) or len(tail) < TELLING_BYTES]
        return list(dict.fromkeys(merged))

    def forms_of(self, refused):
        """As which contents it may have been kept: a merge may have failed as well."""
        behind = [version.content + refused.appended for version in self.versions if version.content is not None] if refused.appended else []
        return [refused.content, *behind]

    @property
    def certain(self):
        return next(version for version in reversed(self.versions) if not version.uncertain)


def parent_of(path):
    return path.rstrip("/").rpartition("/")[0]


class Reference:
    def __init__(self, hosts, files, directories):
        self.hosts = {host.name: host for host in hosts}
        self.hosts[OUTSIDE] = Host(OUTSIDE, 0.0, False)
        self.files, self.directories = files, directories
        self.now = 0.0
        self._orders = itertools.count(1)
        self.names = {path: Name(None, 0, 0.0) for path in [*files, *(f"{path}/" for path in directories)]}

    # What may be seen.

    def floor_of(self, observer, name):
        """The least that this observer believes: what it has seen or made, and in calm what everybody must see by now who asks."""
        host, floor = self.hosts[observer], name.floor.get(observer, 0)
        if name.contested or host.disturbed:
            return floor
        for version in name.versions:
            seen_by = max(version.time, host.calm_since) + WINDOWS_UNTIL_SEEN * host.window
            if not version.uncertain and not version.pending and seen_by <= self.now:
                floor = max(floor, version.order)
        return floor

    def possible(self, observer, path):
        """The versions that may be behind the name, where nothing is open."""
        name = self.names[path]
        floor = 0 if name.contested else self.floor_of(observer, name)
        return [version for version in name.versions if version.order >= floor]

    def views(self, observer, path):
        """The contents that may be seen under the name, None: it may be absent."""
        inode = self.hosts[observer].attached(path)
        seen = [version.content for version in self.possible(observer, path)] + self.names[path].merged()
        if inode is not None and inode.leads:
            seen = [inode.content] + (seen if inode.broken or self.is_changed_elsewhere(inode) else [])
        elif inode is not None and inode.content not in seen:
            seen.append(inode.content)
        if observer != OUTSIDE and self.directory(observer, parent_of(path)).may_be_absent:
            seen.append(None)
        return list(dict.fromkeys(seen))

    def is_changed_elsewhere(self, inode):
        """Whether somebody else may have changed what is behind the name since it was opened. (What S3 does not have any more, a listing takes from
        the directory, also while it is being written here.)"""
        if inode.path is None or not inode.stored:
            return False
        name = self.names[inode.path]
        made_from = inode.version
        return name.contested or made_from is None or any(version.content != made_from.content for version in name.versions
                                                          if version.order >= made_from.order)

    def is_superseded(self, inode):
        """The same, where it is a conflict."""
        if inode.path is None or inode.version is None or inode.overwrites:
            return False
        name = self.names[inode.path]
        return name.contested or any(version.content != inode.version.content for version in name.versions
                                     if version.order >= inode.version.order)

    def has_lost_its_directory(self, inode):
        """Everything in its directory was deleted elsewhere, and there is no marker: a listing takes the directory away."""
        return inode.stored and self.is_changed_elsewhere(inode) and self.directory(OUTSIDE, parent_of(inode.path)).may_be_absent

    def presence(self, observer, path):
        """Of a file."""
        seen = self.views(observer, path)
        return Existence(any(content is not None for content in seen), None in seen)

    def is_certain(self, observer, path):
        return len(self.views(observer, path)) == 1

    def observed(self, observer, path, content):
        """From now on nothing older is seen."""
        name = self.names[path]
        seen = next((version for version in self.possible(observer, path) if version.content == content), None)
        if seen is not None and not name.contested:
            name.floor[observer] = max(name.floor.get(observer, 0), seen.order)

    def below(self, directory):
        """The names in a directory."""
        return [path for path in self.names if parent_of(path) == directory and path.rstrip("/") != directory]

    def directory(self, observer, path):
        """A directory is there by its marker, or by something in it."""
        if path == "":
            return Existence(True, False)
        states = [[version.content for version in self.possible(observer, f"{path}/")]]
        children = []
        for name in self.below(path):
            if name.endswith("/"):
                children.append(self.directory(observer, name[:-1]))
            else:
                states.append(self._states(observer, name))
        may_be = any(state is not None for each in states for state in each) or any(child.may_be_there for child in children)
        must_be = any(None not in each for each in states) or any(not child.may_be_absent for child in children)
        return Existence(may_be or path in self.hosts[observer].kept_directories, self._is_held(observer, path) or not must_be)

    def _is_held(self, observer, path):
        """An own removal that is owed holds a directory absent, whatever others have made below it."""
        held = any(version.pending and version.actor == observer and version.content is None for version in self.names[f"{path}/"].versions)
        return held or (parent_of(path) != "" and self._is_held(observer, parent_of(path)))

    def _states(self, observer, path):
        inode = self.hosts[observer].attached(path)
        if inode is not None and inode.leads and not inode.broken and not self.is_changed_elsewhere(inode):
            return [inode.content]
        return [version.content for version in self.possible(observer, path)]

    # What has happened.

    def changed(self, actor, path, content, base=None, certain=True, appended=None, stored=False):
        """A change was acknowledged, or (not certain) has failed and may have been made all the same. `stored`: S3 has it, whoever acknowledges."""
        name, host = self.names[path], self.hosts[actor]
        pending = certain and not host.synchronous and not stored
        version = Version(content, actor, next(self._orders), self.now, appended if base is not None else None, base, pending, pending,
                          not certain)
        others_pending = any(before.pending and before.actor != actor for before in name.versions)
        lost_base = pending and base is not None and base.content != name.certain.content
        unseen = pending and not self._knows(actor, name)
        name.contested = name.contested or others_pending or lost_base or unseen
        name.versions.append(version)
        self._take_from_renames(actor, path)
        for other in self.hosts.values():
            if other is not host and (inode := other.attached(path)) is not None:
                inode.met_others = True
        if certain and not name.contested:
            name.floor[actor] = version.order
        if content is not None or path.endswith("/"):
            self._forget_kept(host, path, content)
        return version

    def moved(self, actor, path, to, content):
        """A rename of a file that is not open was acknowledged. While it is owed, it is undone when another version of the file is found."""
        source = self.names[path]
        unseen = not self._knows(actor, source)
        before = [version.moved_from for version in source.versions if version.pending and version.actor == actor]
        version = self.changed(actor, to, content)
        if version.pending:
            version.moved_from = frozenset([path]).union(*before)
            self.names[to].contested = self.names[to].contested or unseen or source.contested
        return version

    def _take_from_renames(self, actor, path):
        for name in self.names.values():
            if any(version.pending and version.actor != actor and path in version.moved_from for version in name.versions):
                name.contested = True

    def _knows(self, actor, name):
        """Whether what the actor believes of the name is what S3 has: then it may say so in a condition that is judged later."""
        return len({version.content for version in name.versions if version.order >= self.floor_of(actor, name)}) == 1

    def _forget_kept(self, host, path, content):
        if content is None and path.endswith("/"):
            host.kept_directories.discard(path[:-1])

    def removed_from(self, actor, path):
        """The directories above it stay on that host, unless they have markers."""
        while path := parent_of(path):
            self.hosts[actor].kept_directories.add(path)

    def refused(self, actor, path, inode):
        self.names[path].refused.append(Refused(actor, inode.content, inode.appended if inode.merges else None))

    def drained(self, actor):
        """All that the host has acknowledged is in S3 by now, and it knows that S3 answers."""
        host = self.hosts[actor]
        for name in self.names.values():
            for version in name.versions:
                if version.actor == actor and version.pending:
                    version.pending, version.time = False, self.now
        host.disturbed, host.calm_since = False, self.now

    def worker_replaced(self, actor):
        for inode in self.hosts[actor].inodes:
            inode.survived = True

    def crashed(self, actor):
        """What was not closed is gone."""
        self.hosts[actor].inodes.clear()

    # What must be at a quiet point.

    def finals(self, path):
        """The versions that may be the last one in S3."""
        name = self.names[path]
        if not name.contested:
            return [version for version in name.versions if version.order >= name.certain.order]
        last = {version.actor: version for version in name.versions if not version.uncertain}
        # What a rename has replaced here before S3 had it is gone with it.
        moves = [place for place, version in enumerate(name.versions) if version.moved_from]
        undone = name.versions[:moves[-1]] if moves else []
        merged = [Version(content, OUTSIDE, name.versions[-1].order + 1, self.now) for content in name.merged()]
        return sorted([*last.values(), *undone, *(version for version in name.versions if version.uncertain)], key=lambda version: version.order) + merged

    def must_be_kept(self, path, final):
        """Contents that were acknowledged and that nothing which came later has replaced, as [host, content]. (Of a file that was renamed the host may
        have had no bytes: S3 had them, and gave them up to the one who replaced them there.)"""
        name = self.names[path]
        if not name.contested:
            return []
        last = {version.actor: version for version in name.versions if not version.uncertain and version.journalled}
        return [(version.actor, version.content) for version in last.values()
                if version.content not in (None, b"", FIFO, final.content) and not version.moved_from and not replaces(final, version)]

    def restart(self, path, content):
        """The bucket has told; a new history begins."""
        self.names[path].restart(content, next(self._orders), self.now)
        for host in self.hosts.values():
            for inode in host.inodes:
                if inode.path == path and inode.content == content and not inode.dirty:
                    inode.version = self.names[path].versions[0]


@dataclasses.dataclass
class Existence:
    may_be_there: bool
    may_be_absent: bool


def replaces(final, loser):
    """Whether the loser is something that `final`, or what it goes on from, has rightly overwritten."""
    version = final
    while version is not None:
        if version is loser or version.content == loser.content:
            return True
        if loser.appended and version.content is not None and loser.appended in version.content:
            return True
        if version.base is None:
            return version.order > loser.order or version.journalled
        version = version.base
    return False
