"""What stands in a tree: as a mount shows it, and as the bucket has it. Comparable."""

import dataclasses
import hashlib
import os
import stat

from .records import records_in

FILE_MODE, DIRECTORY_MODE = 0o644, 0o755  # what a mount assumes where the object says nothing


@dataclasses.dataclass(frozen=True)
class Thing:
    kind: str  # file, directory, link
    mode: int
    size: int = 0
    digest: str = ""
    mtime_ns: int = 0


def check_whole(path, content):
    try:
        records_in(content)
    except ValueError as problem:
        raise AssertionError(f"{path}: {problem}") from None


def shown(root):
    """relative path -> Thing. Each file is read, and must be whole."""
    found = {}
    for directory, directories, files in os.walk(root, onerror=_raise):
        for name in directories + files:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, root)] = _thing(path)
    return found


def _raise(error):
    raise error


def _thing(path):
    about = os.lstat(path)
    if stat.S_ISLNK(about.st_mode):
        return Thing("link", 0, digest=os.readlink(path))
    if stat.S_ISDIR(about.st_mode):
        return Thing("directory", stat.S_IMODE(about.st_mode))
    with open(path, "rb", buffering=0) as file:
        content = file.readall()
        about = os.fstat(file.fileno())  # what is known of the object since it was opened
    check_whole(path, content)
    assert len(content) == about.st_size, f"{path}: {len(content)} bytes were read, st_size is {about.st_size}"
    return Thing("file", stat.S_IMODE(about.st_mode), about.st_size, hashlib.sha256(content).hexdigest(), about.st_mtime_ns)


def stored(space):
    """The same, from the listing and the objects. Links are told by their mode alone."""
    found = {}
    for name in space.names():
        head = space.head(name)
        metadata = head["Metadata"]
        mode = int(metadata.get("file-permissions", "0"), 8)
        if name.endswith("/"):
            if name != "/":
                found[name.rstrip("/")] = Thing("directory", stat.S_IMODE(mode) or DIRECTORY_MODE)
        elif stat.S_ISLNK(mode):
            found[name] = Thing("link", 0)
        else:
            content = space.get(name)
            check_whole(f"object {name}", content)
            mtime = metadata.get("file-mtime", "0ns").removesuffix("ns")
            found[name] = Thing("file", stat.S_IMODE(mode) or FILE_MODE, head["ContentLength"], hashlib.sha256(content).hexdigest(), int(mtime))
    return found


def without_targets(view):
    return {path: dataclasses.replace(thing, digest="") if thing.kind == "link" else thing for path, thing in view.items()}


def differences(one, other):
    """In words."""
    told = []
    for path in sorted(set(one) | set(other)):
        if one.get(path) != other.get(path):
            told.append(f"{path}: {one.get(path, 'absent')} / {other.get(path, 'absent')}")
    return told
