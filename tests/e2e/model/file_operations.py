"""Files that are open on a host: open, read, write, truncate, fsync, close."""

import os

from .checks import Expectation, Skip, attempt
from .reference import Inode, Version, parent_of

UNREADABLE = "unreadable"
NOTHING = Version(None, "nobody", 0, 0.0)  # what an exclusive create goes on from


class FileOperations:
    def opened(self, host, slot, path, flags):
        """Opens the file; its Inode, or None where it could not be."""
        ref, real = self.reference.hosts[host], self.world.hosts[host]
        attached, seen = ref.attached(path), self.reference.views(host, path)
        if attached is not None and (attached.broken or seen != [attached.content]):
            raise Skip
        directory = self.reference.directory(host, parent_of(path))
        there, absent = [content for content in seen if content is not None], None in seen
        creates, exclusive, empties = flags & os.O_CREAT, flags & os.O_EXCL, flags & os.O_TRUNC
        if not directory.may_be_there:
            there = []
        may_make = creates and absent and directory.may_be_there
        expected = Expectation(f"open of {path}").error("EEXIST", when=exclusive and there)
        expected.error("ENOENT", when=(absent and not creates) or directory.may_be_absent)
        expected.error("EIO", "ESTALE", when=ref.disturbed).error("ESTALE", when=len(seen) > 1)
        if may_make or (there and not exclusive):
            expected.value(True)
        kind, got = attempt(os.open, real.path(path), flags, 0o644)
        done, _ = expected.check((kind, True) if kind == "value" else (kind, got))
        if not done:
            if got in ("ENOENT", "EEXIST") and len(seen) > 1 and got == "ENOENT" and directory.may_be_there and not directory.may_be_absent:
                self.reference.observed(host, path, None)
            return None
        real.descriptors[slot] = got
        before = self.content_at_open(host, path, got, flags, there, may_make)
        if before is UNREADABLE:
            if attempt(os.close, real.descriptors.pop(slot))[0] == "value" and may_make:
                self.reference.changed(host, path, b"", certain=False)
            return None
        unclear = before == b"" and may_make and bool(there)  # it was made, or was there
        if unclear and not empties:
            self.reference.changed(host, path, b"", certain=False).journalled = not ref.synchronous
        inode = self.inode_at_open(ref, path, flags, before, attached)
        inode.perhaps_new |= unclear
        inode.shared.add(slot)
        if flags & os.O_ACCMODE != os.O_RDONLY:
            inode.writers.add(slot)
        self.slots[host, slot] = (inode, flags)
        return inode

    def content_at_open(self, host, path, descriptor, flags, there, may_make):
        """What the file held before; None: it was made by this call."""
        if flags & os.O_EXCL or not there:
            return None
        if flags & os.O_TRUNC:
            return b"" if may_make and len(there) else there[0]
        if len(there) == 1 and not may_make:
            return there[0]
        if flags & os.O_ACCMODE == os.O_WRONLY:
            raise AssertionError("a file of which several states are possible must be opened to be read as well")
        expected = Expectation(f"read of {path} after open").value(*there, *([b""] if may_make else [])).error("ESTALE")
        expected.error("EIO", when=self.reference.hosts[host].disturbed)
        done, content = expected.check(attempt(read_all, descriptor))
        if not done:
            return UNREADABLE  # an older version than S3 has by now
        if content in there:
            self.reference.observed(host, path, content)
            return content
        return None

    def inode_at_open(self, ref, path, flags, before, attached):
        if attached is not None:
            inode = attached
        else:
            versions = self.reference.possible(ref.name, path)
            version = next((each for each in reversed(versions) if each.content == before), None)
            inode = Inode(path, before or b"", version, stored=before is not None)
            ref.inodes.append(inode)
        if before is None and not (attached is not None and attached.dirty):
            inode.content, inode.dirty, inode.stored, inode.untouched = b"", True, False, True
            inode.exclusive = bool(flags & os.O_EXCL)
            inode.overwrites = inode.made_here = not inode.exclusive
            absent = [version for version in self.reference.possible(ref.name, path) if version.content is None]
            inode.version = absent[-1] if absent else NOTHING
        elif flags & os.O_TRUNC:
            self.emptied(inode)
        return inode

    @staticmethod
    def emptied(inode):
        inode.content, inode.dirty, inode.untouched, inode.appended = b"", True, True, None
        inode.overwrites = not inode.exclusive

    def written(self, host, slot, data, offset):
        """offset None: O_APPEND"""
        if not data:
            return True  # that is no write
        inode, _ = self.slots[host, slot]
        ref, descriptor = self.reference.hosts[host], self.world.hosts[host].descriptors[slot]
        expected = Expectation(f"write to {inode.path}").value(len(data))
        expected.error("ESTALE", when=inode.broken or self.reference.is_superseded(inode)).error("EIO", when=ref.disturbed or inode.broken)
        call = (lambda: os.write(descriptor, data)) if offset is None else (lambda: os.pwrite(descriptor, data, offset))
        done, got = expected.check(attempt(call))
        if not done:
            if got == "ESTALE":
                inode.broken = inode.broken or "ESTALE"
            return False
        start = len(inode.content) if offset is None else offset
        before = inode.content[:start].ljust(start, b"\0")
        inode.content = before + data + inode.content[start + len(data):]
        inode.appended = None if offset is not None or inode.appended is None else inode.appended + data
        inode.dirty, inode.untouched = True, False
        if inode.path is not None and any(version.moved_from for version in self.reference.names[inode.path].versions):
            self.reference.names[inode.path].kept.append((ref.name, inode.content))  # as it is when its rename is undone
        return True

    def resized(self, host, slot, size):
        inode, _ = self.slots[host, slot]
        ref = self.reference.hosts[host]
        expected = Expectation(f"ftruncate of {inode.path}").value(None)
        expected.error("ESTALE", when=inode.broken or self.reference.is_superseded(inode)).error("EIO", when=ref.disturbed or inode.broken)
        done, got = expected.check(attempt(os.ftruncate, self.world.hosts[host].descriptors[slot], size))
        if not done:
            inode.broken = inode.broken or ("ESTALE" if got == "ESTALE" else None)
            return
        inode.content, inode.appended = inode.content[:size].ljust(size, b"\0"), None
        inode.dirty, inode.untouched = True, inode.untouched and size == 0
        if size == 0:
            inode.overwrites = not inode.exclusive

    def read_open(self, host, slot):
        inode, flags = self.slots[host, slot]
        if flags & os.O_ACCMODE == os.O_WRONLY:
            raise Skip
        ref, descriptor = self.reference.hosts[host], self.world.hosts[host].descriptors[slot]
        expected = Expectation(f"read of open {inode.path}").value(inode.content)
        expected.error("ESTALE", "EIO", when=inode.broken or ref.disturbed).error("ESTALE", when=self.reference.is_superseded(inode))
        done, _ = expected.check(attempt(read_all, descriptor))
        if done:
            size = Expectation(f"fstat of open {inode.path}").value(len(inode.content))
            size.check(attempt(lambda: os.fstat(descriptor).st_size))

    def committed(self, host, slot, close):
        """fsync or close of a handle, and what that makes of the file."""
        inode, flags = self.slots[host, slot]
        ref, descriptor = self.reference.hosts[host], self.world.hosts[host].descriptors[slot]
        writable = flags & os.O_ACCMODE != os.O_RDONLY
        goes_on = inode.untouched and len(inode.shared) > 1 and close
        commits = inode.dirty and inode.path is not None and (writable or not close) and not goes_on
        expected = Expectation(f"{'close' if close else 'fsync'} of {inode.path}")
        outcome = attempt(os.close if close else os.fsync, descriptor)
        if close:
            del self.world.hosts[host].descriptors[slot], self.slots[host, slot]
            inode.shared.discard(slot)
            inode.writers.discard(slot)
        if commits or inode.broken:
            self.expect_commit(ref, inode, expected)
        else:
            lost = inode.version is not None and inode.version.journalled and self.reference.is_superseded(inode)
            lost = lost or (inode.survived and inode.met_others)
            expected.value(None).error("EIO", when=ref.disturbed).error("ESTALE", when=lost and (writable or not close))
            # The second worker to come has only noted that the first one could not open it again, and not why.
            expected.error("EIO", when=inode.survived and inode.met_others and writable)
        if inode.broken and not (writable and inode.dirty):
            expected.value(None)
        done, got = expected.check(outcome)
        if commits and not inode.broken:
            self.note_commit(ref, inode, done, got)
        elif goes_on and inode.path is not None and inode.dirty:
            self.reference.changed(host, inode.path, inode.content, certain=False)
            inode.half_stored = True
        if not inode.shared:
            ref.inodes.remove(inode)
        return done

    def expect_commit(self, ref, inode, expected):
        if inode.broken:
            expected.error("ESTALE", "EIO")
            return
        name = self.reference.names[inode.path]
        conditional = not inode.overwrites or inode.half_stored
        current = name.certain.content
        unknown = inode.version is None or inode.half_stored
        met = not conditional or (not unknown and current == inode.version.content)
        unclear = conditional and (unknown or name.contested or name.versions[-1].uncertain or any(version.pending for version in name.versions))
        expected.error("EIO", when=ref.disturbed).error("ESTALE", when=unclear or not (met or self.may_merge(inode)))
        expected.error("ESTALE", when=inode.survived and not met)  # the next worker does not know that it was only appended to
        own_has_lost = any(version.actor == ref.name and version.journalled for version in name.versions)
        expected.error("ESTALE", when=name.contested and own_has_lost)  # while it was open
        expected.error("ESTALE", when=self.reference.has_lost_its_directory(inode))
        if met or unclear or not ref.synchronous or self.may_merge(inode):
            expected.value(None)

    def may_merge(self, inode):
        return inode.merges and self.reference.names[inode.path].certain.content is not None

    def note_commit(self, ref, inode, done, got):
        if not done:
            self.reference.refused(ref.name, inode.path, inode)
            inode.broken = "ESTALE" if got == "ESTALE" else None
            if got == "EIO":
                self.reference.changed(ref.name, inode.path, inode.content, certain=False)
            return
        replaces = inode.perhaps_new or (inode.overwrites and not inode.merges)
        base, name = None if replaces else inode.version, self.reference.names[inode.path]
        if ref.synchronous and base is not None and base.content != name.certain.content and not name.contested and self.may_merge(inode):
            base = name.certain
            inode.content = base.content + inode.appended
        inode.version = self.reference.changed(ref.name, inode.path, inode.content, base, appended=inode.appended)
        name.contested |= inode.half_stored or inode.perhaps_new
        inode.appended = b""
        inode.dirty = inode.overwrites = inode.exclusive = inode.untouched = inode.made_here = inode.half_stored = False
        inode.stored, inode.replaced, inode.perhaps_new = True, False, False


def read_all(descriptor):
    blocks, place = [], 0
    while block := os.pread(descriptor, 1 << 20, place):
        blocks.append(block)
        place += len(block)
    return b"".join(blocks)
