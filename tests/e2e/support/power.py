"""What a disk may hold after the power has failed, from a record of all changes (tests/crash/file_calls.cpp).

What was synced is there. Names (create, rename, unlink, mkdir) become durable in their order, as in a journalling file system: those up to the last sync of a
directory or a file are there, of the later ones any beginning. Of the bytes and sizes that a file got since its last sync any part may be there."""

import os
import pathlib
import random

NAMES = {"create", "rename", "link", "unlink", "mkdir"}
DATA = {"write", "written", "resize", "truncate"}


class Change:
    """`file`: which one it makes, if it makes one."""

    def __init__(self, kind, inode, at, path, data, file):
        self.kind, self.inode, self.at, self.path, self.data, self.file = kind, inode, at, path, data, file


def read(path):
    """The record as a list of changes."""
    text = pathlib.Path(path).read_bytes()
    changes, position = [], 0
    while position < len(text):
        end = text.index(b"\n", position)
        kind, inode, at, size, name = text[position:end].decode().split(" ", 4)
        data = text[end + 1:end + 1 + int(size)]
        position = end + 1 + int(size)
        changes.append(Change(kind, int(inode), int(at), name, data, f"made {len(changes)}"))
    return changes


class Disk:
    """The directory `base` as it was before, and what of `changes` has reached the disk."""

    def __init__(self, base, root):
        self.base, self.root = base, str(root)

    def image(self, changes, keep_names, keep_data, target):
        """`keep_names(i)`, `keep_data(i)`: whether change i is there."""
        contents, names = {}, {}
        for path in sorted(pathlib.Path(self.base).rglob("*")):
            relative = str(path.relative_to(self.base))
            if path.is_dir():
                names[relative] = None
            else:
                names[relative] = f"base {relative}"
                contents[f"base {relative}"] = bytearray(path.read_bytes())
        self._apply(changes, keep_names, keep_data, names, contents)
        for relative, file in sorted(names.items()):
            path = pathlib.Path(target) / relative
            if file is None:
                path.mkdir(parents=True, exist_ok=True)
                path.chmod(0o700)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(contents.get(file, b""))
                path.chmod(0o600)

    def _relative(self, path):
        return os.path.relpath(path, self.root)

    def _apply(self, changes, keep_names, keep_data, names, contents):
        """Bytes belong to the file that had the path when they were written, whatever became of the name."""
        known = dict(names)  # as the program saw them
        for number, change in enumerate(changes):
            relative = self._relative(change.path) if change.path else ""
            if change.kind == "create":
                known[relative] = change.file
                contents[change.file] = bytearray()
                if keep_names(number):
                    names[relative] = change.file
            elif change.kind in ("rename", "link"):
                to = self._relative(change.data.decode())
                for table, wanted in ((known, True), (names, keep_names(number))):
                    if wanted and relative in table:
                        table[to] = table[relative] if change.kind == "link" else table.pop(relative)
            elif change.kind == "unlink":
                known.pop(relative, None)
                if keep_names(number):
                    names.pop(relative, None)
            elif change.kind == "mkdir":
                known[relative] = None
                if keep_names(number):
                    names[relative] = None
            elif change.kind in DATA:
                file = known.get(relative)
                if file is not None and keep_data(number):
                    self._change_bytes(contents[file], change)

    @staticmethod
    def _change_bytes(content, change):
        if change.kind in ("resize", "truncate"):
            size = change.at
            del content[size:]
            content.extend(bytes(size - len(content)))
            return
        end = change.at + len(change.data)
        content.extend(bytes(max(0, end - len(content))))
        content[change.at:end] = change.data


def unsynced(changes):
    """(durable names, changes of bytes that may be missing) at the end of `changes`."""
    durable_names, loose = -1, []
    synced_at = {}
    for number, change in enumerate(changes):
        if change.kind == "sync":
            durable_names = number
            synced_at[change.path] = number
    for number, change in enumerate(changes):
        if change.kind in DATA and change.kind != "written" and synced_at.get(change.path, -1) < number:
            loose.append(number)
    return durable_names, loose


def losses(changes, seed, most):
    """Ways in which the disk may look after `changes`: (names up to here are there, these changes of bytes are missing)."""
    durable, loose = unsynced(changes)
    later_names = [number for number, change in enumerate(changes) if change.kind in NAMES and number > durable]
    cuts = sorted({durable, len(changes), *later_names})
    rng = random.Random(seed)
    ways = [(cut, frozenset(missing)) for cut in {cuts[0], cuts[-1]} for missing in ([], loose)]
    ways += [(cuts[-1], frozenset([number])) for number in loose]
    ways += [(cuts[-1], frozenset(loose) - {number}) for number in loose]
    ways += [(rng.choice(cuts), frozenset(number for number in loose if rng.random() < 0.5)) for _ in range(4)]
    ways = sorted(set(ways), key=lambda way: (way[0], sorted(way[1])))
    rng.shuffle(ways)
    return ways[:most]
