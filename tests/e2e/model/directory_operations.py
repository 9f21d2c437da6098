"""Renames of whole directories, with a crash of the host in the middle if the plan says so."""

import dataclasses
import os
import threading
import time

from .checks import Difference, Expectation, Skip, attempt
from .reference import Version

DEAD = ("ENOTCONN", "ECONNABORTED", "EIO", "EINTR", "ENOENT")  # what a program is told when the whole host dies under its call


@dataclasses.dataclass
class Moved:
    """A rename that may have been made, all of it or nothing."""

    path: str
    to: str
    versions: list[tuple[str, Version, str, Version]]  # a name, its absence; its new name, what is there


class DirectoryOperations:
    def do_rename_directory(self, op):
        host, path, to = op["host"], op["path"], op["to"]
        reference, ref, real = self.reference, self.reference.hosts[host], self.world.hosts[host]
        names = self._names_that_move(host, path, to)
        source, target = reference.directory(host, path), reference.directory(host, to)
        there = [reference.names[new].certain.content is not None for old, new in names if not new.endswith("/")]
        below = [reference.directory(host, each) for each in reference.directories if each.startswith(f"{to}/")]
        expected = Expectation(f"rename of the directory {path} to {to}").error("ENOENT", when=source.may_be_absent)
        full = any(there) or any(each.may_be_there for each in below) or any(reference.presence(host, new).may_be_there
                                                                             for _, new in names if not new.endswith("/"))
        expected.error("ENOTEMPTY", "EEXIST", when=full and target.may_be_there).error("EIO", "ESTALE", when=ref.disturbed)
        if source.may_be_there and not any(there):
            expected.value(None)
        outcome = self._renamed(op, real.path(path), real.path(to), expected)
        done, got = expected.check(outcome)
        if done or got in DEAD:
            self._note_moved(host, path, to, names, done)

    def _names_that_move(self, host, path, to):
        """(old, new) of all that may be below, markers too. Skip: the reference does not know what is there."""
        reference = self.reference
        names = [(name, to + name[len(path):]) for name in reference.names if name.startswith(f"{path}/")]
        for name in [each for pair in names for each in pair]:
            known = reference.names[name]
            unclear = known.contested or known.versions[-1].uncertain
            if unclear or any(version.pending and version.actor != host for version in known.versions):
                raise Skip
            if any(each.attached(name) is not None for each in reference.hosts.values()):
                raise Skip
        return names

    def _renamed(self, op, path, to, expected):
        if "crash" not in op:
            return attempt(os.rename, path, to)
        outcomes = []
        renaming = threading.Thread(target=lambda: outcomes.append(attempt(os.rename, path, to)))
        renaming.start()
        time.sleep(op["crash"] / 1000)  # into the middle of it: not a wait for a state
        self.do_crash(op)
        renaming.join()
        expected.error(*DEAD)
        return outcomes[0]

    def _at_new_name(self, host, old, new, content, done):
        """The copies are of what S3 has. What the host has believed of the file under its old name, it may go on to believe for its window."""
        reference = self.reference
        believed = [seen for seen in reference.views(host, old) if seen not in (None, content)] if done else []
        before = [reference.changed(host, new, seen, stored=True) for seen in believed]
        there = reference.changed(host, new, content, certain=done, stored=done)
        if before and not reference.names[new].contested:
            reference.names[new].floor[host] = before[0].order
        return there

    def _note_moved(self, host, path, to, names, done):
        """The new names are in S3; the old ones may go a moment later."""
        reference, versions = self.reference, []
        for old, new in names:
            content = reference.names[old].certain.content
            if content is None and (new.endswith("/") or reference.names[new].certain.content is None):
                continue  # the marker of an empty directory that is replaced stays
            there = self._at_new_name(host, old, new, content, done)
            gone = reference.changed(host, old, None, certain=done, stored=done and not reference.hosts[host].disturbed)
            versions.append((old, gone, new, there))
            if not done:  # copies that are taken back are seen for a while
                reference.names[old].contested = reference.names[new].contested = True
        if done:
            kept = reference.hosts[host].kept_directories
            stays = {to + each[len(path):] for each in kept if f"{each}/".startswith(f"{path}/")}
            kept -= {each for each in kept if f"{each}/".startswith((f"{path}/", f"{to}/"))}
            kept |= stays
        self.moves.append(Moved(path, to, versions))

    def check_moves(self, bucket):
        """Each was made whole, or not at all, where nothing has changed its names since."""
        for move in self.moves:
            if any(self.reference.names[name].versions[-1] is not version
                   for old, gone, new, there in move.versions for name, version in ((old, gone), (new, there))):
                continue
            files = [(old, new, there.content) for old, _, new, there in move.versions if there.content]
            made = [bucket[old] is None and bucket[new] == content for old, new, content in files]
            if any(made) and not all(made):
                raise Difference(f"the rename of the directory {move.path} to {move.to} is half done: {list(zip(files, made))}")
        self.moves.clear()
