"""Operations on names: whole files, directories, rename, unlink; and what they show."""

import os
import stat

from .checks import Expectation, Skip, attempt
from .names import LINKS, temporary
from .reference import parent_of
from .special_operations import UNKNOWN_KIND, read_special

COMPOSITE = "composite"  # the slot of operations that open and close by themselves


class NameOperations:
    def do_write(self, op):
        """A whole file: how = trunc, plain (O_CREAT alone), excl."""
        how = {"trunc": os.O_TRUNC, "plain": 0, "excl": os.O_EXCL}[op["how"]]
        data = self.content(op["size"])
        if self.opened(op["host"], COMPOSITE, op["path"], os.O_CREAT | os.O_RDWR | how) is None:
            return
        half = len(data) // 2 if op.get("halves") else len(data)
        wrote = all(self.written(op["host"], COMPOSITE, part, place) for part, place in ((data[:half], 0), (data[half:], half)) if part)
        if op.get("sync") and wrote:
            self.committed(op["host"], COMPOSITE, close=False)
        self.committed(op["host"], COMPOSITE, close=True)

    def do_append(self, op):
        certain = self.reference.is_certain(op["host"], op["path"])
        flags = os.O_APPEND | (os.O_WRONLY if certain else os.O_RDWR) | (os.O_CREAT if op.get("create") else 0)
        self._open_write_close(op, flags, None)

    def do_patch(self, op):
        self._open_write_close(op, os.O_RDWR, op["offset"])

    def _open_write_close(self, op, flags, offset):
        if self.opened(op["host"], COMPOSITE, op["path"], flags) is not None:
            self.written(op["host"], COMPOSITE, self.content(op["size"]), offset)
            self.committed(op["host"], COMPOSITE, close=True)

    def do_save(self, op):
        """As editors do it: a temporary name, fsync, and a rename over the file."""
        between = temporary(op["path"])
        if self.opened(op["host"], COMPOSITE, between, os.O_CREAT | os.O_TRUNC | os.O_RDWR) is None:
            return
        wrote = self.written(op["host"], COMPOSITE, self.content(op["size"]), 0)
        synced = not op.get("sync") or self.committed(op["host"], COMPOSITE, close=False)
        if self.committed(op["host"], COMPOSITE, close=True) and wrote and synced:
            self.rename(op["host"], between, op["path"])

    def do_truncate(self, op):
        host, path, size = op["host"], op["path"], op["size"]
        ref = self.reference.hosts[host]
        if ref.attached(path) is not None:
            raise Skip  # what is open is truncated by ftruncate
        seen = self.reference.views(host, path)
        there = [content for content in seen if content is not None]
        expected = Expectation(f"truncate of {path} to {size}").error("ENOENT", when=None in seen).error("ESTALE", when=len(seen) > 1)
        expected.error("EIO", "ESTALE", when=ref.disturbed)
        if there:
            expected.value(None)
        done, got = expected.check(attempt(os.truncate, self.world.hosts[host].path(path), size))
        after = [content[:size].ljust(size, b"\0") for content in there]
        possible = self.reference.possible(host, path)
        if not done or len(seen) > 1:  # the kernel tries once more after ESTALE, and what the first attempt made is kept
            self.reference.names[path].kept += [(host, content) for content in after]
        now = (after[0] if len(after) == 1 else self._look(host, path, after, seen)) if done else None
        if now is None and (done or got == "EIO"):
            for content in after:
                self.reference.changed(host, path, content, certain=False)
        elif done:
            cut = [content for content, result in zip(there, after) if result == now]
            base = next((version for version in reversed(possible) if version.content == cut[0]), None)
            self.reference.changed(host, path, now, None if size == 0 or len(cut) > 1 else base)

    def _look(self, host, path, possible, before, replaced=()):
        """Which of several contents an own change has made. None: S3 does not say, or (a rename that is owed) has another version of it by now; then what it
        has `replaced` is there as before."""
        ref = self.reference.hosts[host]
        undone = [] if ref.synchronous else [content for content in replaced if content is not None]
        expected = Expectation(f"what {path} holds now").value(*possible, *undone).error("EIO", when=ref.disturbed)
        expected.error("ESTALE", when=not ref.synchronous)
        absent_again = not ref.synchronous and None in replaced
        expected.error("ENOENT", when=None in before or absent_again)  # what another host's journal has owed may have come after it
        done, got = expected.check(attempt(self._read, host, path))
        return got if done and got in possible else None

    def _read(self, host, path):
        if path in LINKS:
            return read_special(self.world.hosts[host].path(path))
        with open(self.world.hosts[host].path(path), "rb", buffering=0) as file:
            return file.readall()

    def do_read(self, op):
        host, path = op["host"], op["path"]
        expected, seen = self._expect_look(f"read of {path}", host, path)
        expected.value(*(content for content in seen if content is not None))
        if path in LINKS and self.reference.hosts[host].disturbed:
            expected.value(UNKNOWN_KIND)  # S3 has not answered when the open asked what it is
        self._note_look(host, path, *expected.check(attempt(self._read, host, path)))

    def do_stat(self, op):
        host, path = op["host"], op["path"]
        expected, seen = self._expect_look(f"stat of {path}", host, path)
        sizes = {len(content): content for content in seen if content is not None}
        expected.value(*sizes)
        done, got = expected.check(attempt(self._size, host, path))
        distinct = len(sizes) == len(seen) - (None in seen)
        if not done or distinct:
            self._note_look(host, path, done, sizes[got] if done else got)

    def _size(self, host, path):
        found = os.stat(self.world.hosts[host].path(path))
        return found.st_size if stat.S_ISREG(found.st_mode) else f"mode {found.st_mode:o}"

    def _expect_look(self, what, host, path):
        ref, seen = self.reference.hosts[host], self.reference.views(host, path)
        expected = Expectation(what).error("ENOENT", when=None in seen).error("ESTALE", when=len(seen) > 1)
        return expected.error("EIO", "ESTALE", when=ref.disturbed), seen

    def _note_look(self, host, path, done, got):
        if self.reference.hosts[host].attached(path) is not None:
            return
        if done:
            self.reference.observed(host, path, got)
        elif got == "ENOENT" and not self.reference.directory(host, parent_of(path)).may_be_absent:
            self.reference.observed(host, path, None)

    def do_list(self, op):
        host, path = op["host"], op["path"]
        ref, directory = self.reference.hosts[host], self.reference.directory(host, path)
        kind, got = attempt(os.listdir, self.world.hosts[host].path(path))
        expected = Expectation(f"ls of {path or 'the root'}").error("ENOENT", when=directory.may_be_absent).error("EIO", when=ref.disturbed)
        # opendir() finds what readdir() then does not.
        expected.error("EIO", when=directory.may_be_absent and directory.may_be_there)
        if directory.may_be_there:
            expected.value(True)
        done, _ = expected.check((kind, True) if kind == "value" else (kind, got))
        if done:
            self._check_names(host, path, set(got))

    def _check_names(self, host, path, got):
        known = {name.rstrip("/").rpartition("/")[2]: name for name in self.reference.below(path)}
        Expectation(f"unknown names in {path or 'the root'}").value(set()).check(("value", got - set(known)))
        for short, name in known.items():
            if name.endswith("/"):
                state = self.reference.directory(host, name[:-1])
                may, must = state.may_be_there, not state.may_be_absent
            else:
                seen = self.reference.views(host, name)
                may, must = any(content is not None for content in seen), None not in seen
            allowed = ([True] if may else []) + ([False] if not must else [])
            Expectation(f"ls shows {name}").value(*allowed).check(("value", short in got))

    def do_rename(self, op):
        self.rename(op["host"], op["path"], op["to"])

    def do_unlink(self, op):
        host, path = op["host"], op["path"]
        ref, seen, inode = self.reference.hosts[host], self.reference.views(host, path), self.reference.hosts[host].attached(path)
        if inode is not None and seen != [inode.content]:
            raise Skip
        expected = Expectation(f"unlink of {path}").error("ENOENT", when=None in seen).error("EIO", when=ref.disturbed)
        if any(content is not None for content in seen):
            expected.value(None)
        done, got = expected.check(attempt(os.unlink, self.world.hosts[host].path(path)))
        if done:
            self._note_removed(host, path, inode)
            if inode is not None:
                inode.path = None
        elif got == "EIO":
            self.reference.changed(host, path, None, certain=False)
            if inode is not None:
                inode.broken = "EIO"
        elif got == "ENOENT":
            self._note_look(host, path, False, got)

    def _note_removed(self, host, path, inode):
        """The name of a file goes. What others have made under the name of a file that was never stored is another file, and stays."""
        certain = inode is None or inode.stored or inode.replaced
        if certain or inode.survived:
            self.reference.changed(host, path, None, certain=certain)
            self.reference.removed_from(host, path)

    def do_mkdir(self, op):
        host, path = op["host"], op["path"]
        ref, above, here = (self.reference.hosts[host], self.reference.directory(host, parent_of(path)), self.reference.directory(host, path))
        expected = Expectation(f"mkdir of {path}").error("ENOENT", when=above.may_be_absent).error("EEXIST", when=here.may_be_there)
        expected.error("EIO", when=ref.disturbed)
        if here.may_be_absent and above.may_be_there:
            expected.value(None)
        done, got = expected.check(attempt(os.mkdir, self.world.hosts[host].path(path)))
        if done or got == "EIO":
            self.reference.changed(host, f"{path}/", b"", certain=done)

    def do_rmdir(self, op):
        host, path = op["host"], op["path"]
        ref, here = self.reference.hosts[host], self.reference.directory(host, path)
        children = [self.reference.directory(host, name[:-1]) if name.endswith("/") else self.reference.presence(host, name)
                    for name in self.reference.below(path)]
        expected = Expectation(f"rmdir of {path}").error("ENOENT", when=here.may_be_absent).error("EIO", when=ref.disturbed)
        expected.error("ENOTEMPTY", when=any(child.may_be_there for child in children))
        if here.may_be_there and all(child.may_be_absent for child in children):
            expected.value(None)
        done, got = expected.check(attempt(os.rmdir, self.world.hosts[host].path(path)))
        if done or got == "EIO":
            self.reference.changed(host, f"{path}/", None, certain=done)
            self.reference.removed_from(host, path)

    def rename(self, host, path, to):
        reference, ref = self.reference, self.reference.hosts[host]
        source, target = ref.attached(path), ref.attached(to)
        seen, replaced = reference.views(host, path), reference.views(host, to)
        if any(inode is not None and (inode.broken or views != [inode.content])
               for inode, views in ((source, seen), (target, replaced))):
            raise Skip
        there, directory = [content for content in seen if content is not None], reference.directory(host, parent_of(to))
        expected = Expectation(f"rename of {path} to {to}").error("ENOENT", when=None in seen or directory.may_be_absent)
        expected.error("EIO", when=ref.disturbed).error("ESTALE", when=len(seen) > 1 or len(replaced) > 1 or (ref.disturbed and not ref.journal))
        if there and directory.may_be_there:
            expected.value(None)
        real = self.world.hosts[host]
        done, got = expected.check(attempt(os.rename, real.path(path), real.path(to)))
        content = (there[0] if len(there) == 1 else self._look(host, to, there, seen, replaced)) if done else None
        if done and path != to:
            self._note_rename(host, path, to, there if content is None else [content], source, target)
        elif not done and got in ("EIO", "ESTALE"):
            reference.changed(host, path, None, certain=False)
            for content in there:
                reference.changed(host, to, content, certain=False)
        elif not done and got == "ENOENT" and not directory.may_be_absent:
            self._note_look(host, path, False, got)

    def _note_rename(self, host, path, to, possible, source, target):
        """`possible`: what the file may hold."""
        if target is not None:
            target.path = None
        stored = self.reference.names[path].certain.content
        self._note_removed(host, path, source)
        if source is None:
            for content in possible:
                self.reference.moved(host, path, to, content)
            self.reference.names[to].contested |= len(possible) > 1
        else:
            source.path = to
            if source.dirty and not source.stored:
                source.overwrites, source.exclusive, source.made_here = True, False, False  # S3 has nothing of it, and what stands under the new name is to go
                source.replaced = source.replaced or self.reference.names[to].certain.content is not None
            else:
                source.version = self.reference.moved(host, path, to, stored if source.dirty else possible[0])
