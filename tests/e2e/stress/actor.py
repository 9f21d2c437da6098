"""One of the processes: random operations in a tree that all of them change. Each operation names the errors that a race justifies, and any other is a
finding. EIO never is: all of this happens on one host, which knows everything. ESTALE is what the kernel is told when the inode it has just looked up is
gone; it looks the name up once more, and a program sees the second ESTALE in a row. Where a name is replaced again and again that may happen; if it goes on,
it is a finding. A read of an open file never may; it does seldom, with commit=journal, and PREFIXFS_STRESS_STRICT=1 makes both findings."""

import errno
import os
import random
import stat

from .records import record, records_in

# Names of files that are saved whole by rename or made with O_EXCL, and never changed; of files that are only appended to or emptied; of
# directories. A name of BOTH is sometimes a file, sometimes a directory.
DOCUMENTS, LOGS, DIRECTORIES, BOTH = ["doc0", "doc1", "doc2"], ["log0", "log1"], ["d0", "d1", "d2"], ["x0", "x1"]
DEPTH = 4
SIZES = [0, 10, 3_000, 70_000, 300_000]
MODES = [0o600, 0o640, 0o644, 0o755, 0o444]

WEIGHTS = {"save": 8, "create": 6, "append": 8, "empty": 2, "rename": 8, "rename_directory": 2, "unlink": 6, "mkdir": 8, "rmdir": 3, "chmod": 3,
           "list": 3, "read": 6, "read_log": 2, "symlink": 1, "link": 1, "hold": 2}

# A path that leads through a name which another process has removed, or made a file of.
GONE = {"ENOENT", "ENOTDIR"}
STRICT = bool(os.environ.get("PREFIXFS_STRESS_STRICT"))
STALE_AGAIN = 0 if STRICT else 5  # times that a call is made once more

NOT_SUPPORTED = {"EPERM", "EOPNOTSUPP"}  # symbolic and hard links


class Unexpected(Exception):
    """A finding."""


class Actor:
    """`directories_move`: rename of a directory is supported, so that any path may be gone from one moment to the next."""

    def __init__(self, root, number, seed, directories_move):
        self.root, self.number = str(root), number
        self._own_may_be_gone = GONE if directories_move else set()  # nobody else knows the name, and its directory is not empty
        self._random = random.Random(f"stress {seed} {number}")
        self._written, self._story = 0, []

    def run(self, operations):
        """Raises Unexpected."""
        for _ in range(operations):
            do = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            self._story.append(do)
            try:
                getattr(self, f"_{do}")()
            except (OSError, ValueError) as error:
                raise Unexpected(self._told(f"{error}")) from error

    def _told(self, what):
        return f"process {self.number}: {what}; its last operations: {'; '.join(self._story[-6:])}"

    def _races(self, errors, function, *arguments):
        """(True, value), or (False, errno's name) where it is one of `errors`."""
        self._story.append(f"{function.__name__}{arguments}")
        for again in reversed(range(STALE_AGAIN + 1)):
            try:
                return True, function(*arguments)
            except OSError as error:
                name = errno.errorcode.get(error.errno, str(error.errno))
                if name == "ESTALE" and again:
                    continue
                if name not in errors:
                    raise
                return False, name

    def _directory(self):
        depth = self._random.choices(range(DEPTH + 1), [3, 4, 4, 3, 2])[0]
        return os.path.join(self.root, *(self._random.choice(DIRECTORIES if self._random.random() < 0.9 else BOTH) for _ in range(depth)))

    def _path(self, names):
        return os.path.join(self._directory(), self._random.choice(names))

    def _record(self):
        self._written += 1
        return record(self.number, self._written, self._random.choice(SIZES))

    def _write_new(self, path, flags, errors, mode=0o644):
        done, descriptor = self._races(errors, os.open, path, os.O_CREAT | os.O_WRONLY | flags, mode)
        if done:
            self._write_and_close(descriptor)
        return done

    def _write_and_close(self, descriptor):
        try:
            data = self._record()
            if (count := os.write(descriptor, data)) != len(data):
                raise Unexpected(self._told(f"write of {len(data)} bytes has written {count}"))
        finally:
            os.close(descriptor)

    def _save(self):
        """Written under a name of its own, renamed to the one that all use; also across directories."""
        target = self._path(DOCUMENTS + BOTH)
        directory = os.path.dirname(target) if self._random.random() < 0.7 else self._directory()
        temporary = os.path.join(directory, f".tmp-{self.number}-{self._written}")
        if not self._write_new(temporary, os.O_TRUNC, GONE):
            return
        if self._random.random() < 0.3:
            self._races(self._own_may_be_gone, os.chmod, temporary, self._random.choice(MODES))
        into_its_directory = {"ENOTEMPTY"} if temporary.startswith(f"{target}/") else set()
        done, _ = self._races(GONE | {"EISDIR"} | into_its_directory, os.rename, temporary, target)
        if not done:
            self._races(self._own_may_be_gone, os.unlink, temporary)

    def _create(self):
        self._write_new(self._path(DOCUMENTS + BOTH), os.O_EXCL, GONE | {"EEXIST"}, self._random.choice([0o644, 0o600]))

    def _append(self):
        self._write_new(self._path(LOGS), os.O_APPEND, GONE)

    def _empty(self):
        self._races(GONE, os.truncate, self._path(LOGS), 0)

    def _rename(self):
        names = self._random.choice([LOGS, DOCUMENTS])
        self._races(GONE, os.rename, self._path(names), self._path(names))

    def _rename_directory(self):
        source, target = self._path(DIRECTORIES), self._path(DIRECTORIES)
        if not f"{target}/".startswith(f"{source}/"):  # into itself
            self._races(GONE | {"ENOTEMPTY", "EEXIST", "EXDEV"}, os.rename, source, target)

    def _unlink(self):
        self._races(GONE | {"EISDIR"}, os.unlink, self._path(DOCUMENTS + LOGS + BOTH))

    def _mkdir(self):
        self._races(GONE | {"EEXIST"}, os.mkdir, self._path(DIRECTORIES * 2 + BOTH))

    def _rmdir(self):
        self._races(GONE | {"ENOTEMPTY"}, os.rmdir, self._path(DIRECTORIES + BOTH))

    def _chmod(self):
        path = self._path(DOCUMENTS + LOGS)
        if os.geteuid() != 0:
            self._races(GONE, os.chmod, path, 0o644)
        else:
            self._races(GONE, os.chmod, path, self._random.choice(MODES))

    def _list(self):
        done, names = self._races(GONE, os.listdir, self._directory())
        if done and len(set(names)) != len(names):
            raise Unexpected(self._told(f"a name is listed twice: {sorted(names)}"))

    def _read(self):
        """A document never changes: who has it open reads one whole record."""
        done, descriptor = self._races(GONE, os.open, self._path(DOCUMENTS), os.O_RDONLY)
        if done:
            try:
                self._check_document(descriptor)
            finally:
                os.close(descriptor)

    def _check_document(self, descriptor):
        content = self._content(descriptor)
        if content and len(records_in(content)) != 1:
            raise Unexpected(self._told("a document has more than one record"))

    def _read_log(self):
        done, descriptor = self._races(GONE, os.open, self._path(LOGS), os.O_RDONLY)
        if done:
            try:
                self._content(descriptor)  # somebody may be in the middle of a write
            finally:
                os.close(descriptor)

    def _hold(self):
        """A file that loses its name meanwhile stays what it is for those who have it open."""
        path = self._path(DOCUMENTS)
        done, descriptor = self._races(GONE, os.open, path, os.O_RDONLY)
        if not done:
            return
        try:
            before = self._content(descriptor)
            self._races(GONE | {"EISDIR"}, os.unlink, path)
            after = self._content(descriptor)
            if before and after is not None and after != before:
                raise Unexpected(self._told(f"{path} has another content after its unlink"))
        finally:
            os.close(descriptor)

    def _content(self, descriptor):
        """None, where it is stale."""
        errors = set() if STRICT else {"ESTALE"}
        done, content = self._races(errors, read_all, descriptor)
        return content if done else None

    def _symlink(self):
        path = self._path(["s0"])
        done, _ = self._races(GONE | NOT_SUPPORTED | {"EEXIST"}, os.symlink, "doc0", path)
        if done:
            self._races(GONE, os.readlink, path)

    def _link(self):
        self._races(GONE | NOT_SUPPORTED | {"EEXIST"}, os.link, self._path(DOCUMENTS), self._path(DOCUMENTS))


def read_all(descriptor):
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        return b""
    blocks, place = [], 0
    while block := os.pread(descriptor, 1 << 20, place):
        blocks.append(block)
        place += len(block)
    return b"".join(blocks)
