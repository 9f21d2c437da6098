"""What each operation costs, and whether what it did is still so for a mount that knows nothing: one Workload of one Step for each.

Cold: the objects are another client's (or, where the title says so, made through an earlier mount of the same tool), and this mount has seen
nothing. Warm: a program of this mount has listed the directory, and read the file where there is one, two seconds before."""

import ctypes
import errno
import fcntl
import functools
import mmap
import os
import stat
import subprocess
import threading

from measure import Wrong
from workload import MIB, WARM_PAUSE_SECONDS, NotHere, Step, Workload, noise

FOLDER = "docs"
FILE = f"{FOLDER}/report.pdf"
NEW = f"{FOLDER}/new.pdf"
BODY_BYTES, SMALL_BYTES, TREE_FILE_BYTES = 500_000, 10_000, 1_000
LONG_AGO, LONG_AGO_TEXT = 981173106, "2001-02-03T04:05:06Z"
TOLD_AT_ONCE = 10  # names that two hosts try to make
SECONDS_MAX = 300
PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE
ERRNO_OF = {os.strerror(number): number for number in errno.errorcode}

BODY, SMALL = noise(BODY_BYTES, 12), noise(SMALL_BYTES, 13)


@functools.cache
def large_body(size):
    return noise(size, 11)


def program(*words):
    """Its standard output; what a call has refused it is told as that call's error."""
    done = subprocess.run([str(word) for word in words], capture_output=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [f"{words[0]} has failed"]
        number = ERRNO_OF.get(said[0].rpartition(": ")[2])
        raise OSError(number, said[0]) if number else RuntimeError(said[0])
    return done.stdout


def expect(found, wanted, what):
    if found != wanted:
        raise Wrong(what)


def holds(path, pieces, what):
    """Whether the file is `pieces`, one after another. Read by the megabyte."""
    with open(path, "rb", buffering=0) as file:
        expect(os.fstat(file.fileno()).st_size, sum(map(len, pieces)), f"the size of {what}")
        for piece in pieces:
            for begin in range(0, len(piece), MIB):
                wanted = piece[begin:begin + MIB]
                got = b""
                while len(got) < len(wanted) and (more := file.read(len(wanted) - len(got))):
                    got += more
                expect(got, wanted, f"the bytes of {what}")


def names_in(path, wanted):
    found = set(os.listdir(path))
    for names, what in ((sorted(wanted - found), "missing"), (sorted(found - wanted), "there")):
        if names:
            raise Wrong(f"{names[0]} {f'and {len(names) - 1} more are' if names[1:] else 'is'} {what}")


def overwrite_bytes(path, offset, data):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, data, offset)
    finally:
        os.close(descriptor)


def visit(path):
    """What makes it warm."""
    for name in os.listdir(path / FOLDER):
        if (path / FOLDER / name).is_file():
            (path / FOLDER / name).read_bytes()


def cold(title, run, check=None, objects=None, changes=True, earlier=None, hosts=1):
    step = Step(f"{title}, cold", run, settles=changes, check=check, seconds_max=SECONDS_MAX)
    return Workload([step], {f"{FOLDER}/": b"", **({FILE: BODY} if objects is None else objects)}, earlier, hosts)


def warm(title, run, check=None, before=visit, changes=True, hosts=1):
    step = Step(f"{title}, warm", run, before, WARM_PAUSE_SECONDS, settles=changes, check=check, seconds_max=SECONDS_MAX)
    return Workload([step], {f"{FOLDER}/": b"", FILE: BODY}, hosts=hosts)


# Contents

def create():
    def run(path):
        descriptor = os.open(path / NEW, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        with open(descriptor, "wb") as file:
            file.write(SMALL)

    def check(path):
        holds(path / NEW, [SMALL], "the new file")
        return None if stat.S_IMODE(os.stat(path / NEW).st_mode) == 0o640 else "its mode is not kept"

    return warm("create a file of 10 KB", run, check)


def overwrite():
    return warm("overwrite it", lambda path: (path / NEW).write_bytes(SMALL[::-1]), lambda path: holds(path / NEW, [SMALL[::-1]], "the file"),
                before=lambda path: (path / NEW).write_bytes(SMALL))


def changes_of_a_large_file(size):
    body, line, block, middle = large_body(size), noise(1000, 14), noise(4096, 15), size // 2 // 4096 * 4096

    def append(path):
        with open(path / FILE, "ab") as file:
            file.write(line)

    def large(title, run, *pieces):
        return cold(f"{title} a file of {size // 1_000_000} MB", run, lambda path: holds(path / FILE, pieces, "the file"), {FILE: body})

    return [large("append 1 KB to", append, body, line),
            large("halve (truncate)", lambda path: os.truncate(path / FILE, size // 2), body[:size // 2]),
            large("write 4 KiB into the middle of", lambda path: overwrite_bytes(path / FILE, middle, block), body[:middle], block, body[middle + 4096:])]


def copy(title, body):
    def check(path):
        holds(path / FILE, [body], "the source")
        holds(path / NEW, [body], "the copy")

    return cold(f"cp of {title} within the mount", lambda path: program("cp", path / FILE, path / NEW), check, {FILE: body})


def shared_mapping():
    def run(path):
        with open(path / FILE, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            mapping[5000:5100] = b"m" * 100
            mapping.flush()

    return cold("write through a shared mapping (mmap)", run, lambda path: holds(path / FILE, [BODY[:5000], b"m" * 100, BODY[5100:]], "the file"))


def hole():
    def run(path):
        with open(path / FILE, "r+b") as file:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.fallocate(file.fileno(), PUNCH_HOLE, ctypes.c_int64(100_000), ctypes.c_int64(200_000)) != 0:
                raise OSError(ctypes.get_errno(), "fallocate")

    return cold("punch a hole (fallocate)", run, lambda path: holds(path / FILE, [BODY[:100_000], bytes(200_000), BODY[300_000:]], "the file"))


# Names

def rename():
    def made(path):
        (path / FILE).write_bytes(BODY)
        os.utime(path / FILE, (LONG_AGO, LONG_AGO))

    def check(path):
        names_in(path / FOLDER, {"new.pdf"})
        holds(path / NEW, [BODY], "the file")
        return None if os.stat(path / NEW).st_mtime == LONG_AGO else "its mtime moves"

    return cold("rename a file", lambda path: os.rename(path / FILE, path / NEW), check, {}, earlier=made)


def rename_over_open():
    def run(path):
        with open(path / NEW, "rb", buffering=0) as file:
            begin = file.read(1000)
            os.rename(path / FILE, path / NEW)
            expect(begin + b"".join(iter(lambda: file.read(MIB), b"")), SMALL, "the bytes of the open file")
        holds(path / NEW, [BODY], "the new file")

    def check(path):
        names_in(path / FOLDER, {"new.pdf"})
        holds(path / NEW, [BODY], "the file")

    return cold("rename onto a file that a program reads", run, check, {FILE: BODY, NEW: SMALL})


def unlink_open():
    def run(path):
        with open(path / FILE, "rb", buffering=0) as file:
            begin = file.read(1000)
            os.unlink(path / FILE)
            expect(begin + b"".join(iter(lambda: file.read(MIB), b"")), BODY, "the bytes of the open file")

    return cold("unlink a file that a program reads", run, lambda path: names_in(path / FOLDER, set()))


def trees(count):
    names = {f"{number:04}.pdf" for number in range(count)}
    # Without a marker object of the directory, which rclone knows nothing of.
    tree = {f"{FOLDER}/tree/{name}": noise(TREE_FILE_BYTES, 16) for name in sorted(names)}

    def moved(path):
        names_in(path / FOLDER, {"moved"})
        names_in(path / FOLDER / "moved", names)
        holds(path / FOLDER / "moved" / max(names), [noise(TREE_FILE_BYTES, 16)], "a file")

    def listed(path):
        lines = program("ls", "-l", path / FOLDER / "tree").decode().splitlines()[1:]
        expect(len(lines), count, f"{len(lines)} lines")
        expect({line.split()[4] for line in lines}, {str(TREE_FILE_BYTES)}, "the sizes")

    return [cold(f"rename a directory of {count:,} files", lambda path: os.rename(path / FOLDER / "tree", path / FOLDER / "moved"), moved, tree),
            cold(f"rm -r of {count:,} files", lambda path: program("rm", "-r", path / FOLDER / "tree"),
                 lambda path: names_in(path / FOLDER, set()), tree),
            cold(f"ls -l of {count:,} files", listed, objects=tree, changes=False)]


def exclusive_on_two_hosts():
    winners = {}

    def make(path, name, body, start, told):
        start.wait(60)
        try:
            with open(path / FOLDER / name, "xb", buffering=0) as file:
                file.write(body)
            told.append(body)
        except OSError:
            pass  # told no, by open() or by close()

    def run(*hosts):
        for name in (f"{number}.lock" for number in range(TOLD_AT_ONCE)):
            start, told = threading.Barrier(len(hosts)), []
            callers = [threading.Thread(target=make, args=(path, name, b"host %d" % number, start, told)) for number, path in enumerate(hosts)]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            winners[name] = told
        both = sum(len(told) > 1 for told in winners.values())
        expect(both, 0, f"both were told yes, for {both} of {TOLD_AT_ONCE} names")
        nobody = sum(not told for told in winners.values())
        expect(nobody, 0, f"neither was told yes, for {nobody} of {TOLD_AT_ONCE} names")

    def check(path):
        for name, told in winners.items():
            holds(path / FOLDER / name, told, "the file")

    def look(*hosts):
        for path in hosts:
            visit(path)

    return warm(f"O_EXCL by two hosts at once, {TOLD_AT_ONCE} names", run, check, before=look, hosts=2)


def link():
    def check(path):
        names_in(path / FOLDER, {"report.pdf", "new.pdf"})
        for name in (FILE, NEW):
            holds(path / name, [b"changed", BODY[7:]], "both names")

    def run(path):
        os.link(path / FILE, path / NEW)
        overwrite_bytes(path / NEW, 0, b"changed")

    return cold("hard link (ln), and a change through it", run, check)


def unnamed_file():
    def run(path):
        descriptor = os.open(path / FOLDER, os.O_TMPFILE | os.O_RDWR, 0o600)
        try:
            os.pwrite(descriptor, SMALL, 0)
            expect(os.pread(descriptor, SMALL_BYTES, 0), SMALL, "the bytes")
        finally:
            os.close(descriptor)

    return warm("a file without a name (O_TMPFILE)", run, lambda path: names_in(path / FOLDER, {"report.pdf"}))


def small_names():
    def absent(name):
        return lambda path: names_in(path / FOLDER, {"report.pdf"} - {name})

    def is_directory(path):
        return expect((path / FOLDER / "made").is_dir(), True, "there is no directory")

    return [warm("mkdir", lambda path: os.mkdir(path / FOLDER / "made"), is_directory),
            cold("rmdir", lambda path: os.rmdir(path / FOLDER / "empty"), absent("empty"), {FILE: BODY, f"{FOLDER}/empty/": b""}),
            cold("unlink", lambda path: os.unlink(path / FILE), absent("report.pdf"))]


# Attributes, and what is no file

def attributes():
    def changed(title, run, attribute, wanted, needs_root=False):
        def asked(path):
            if needs_root and os.geteuid() != 0:
                raise NotHere("needs root")
            run(path / FILE)

        def check(path):
            found = attribute(os.stat(path / FILE))
            expect(found, wanted, f"as it was, {oct(found) if title == 'chmod' else found}")
            holds(path / FILE, [BODY], "the file")

        return cold(title, asked, check)

    return [changed("chmod", lambda file: os.chmod(file, 0o604), lambda status: stat.S_IMODE(status.st_mode), 0o604),
            changed("chown", lambda file: os.chown(file, 1234, 2345), lambda status: f"{status.st_uid}:{status.st_gid}", "1234:2345", needs_root=True),
            changed("touch -d (utimens)", lambda file: program("touch", "-d", LONG_AGO_TEXT, file), lambda status: status.st_mtime, LONG_AGO),
            cold("stat of a file", lambda path: expect(os.stat(path / FILE).st_size, BODY_BYTES, "the size"), changes=False),
            warm("stat of a known file", lambda path: expect(os.stat(path / FILE).st_size, BODY_BYTES, "the size"), changes=False)]


def extended_attributes():
    def give(path):
        os.setxattr(path / FILE, "user.comment", b"hello")

    def has(path):
        expect(os.getxattr(path / FILE, "user.comment"), b"hello", "the value")

    return [cold("setxattr of user.*", give, has), cold("getxattr of user.*", has, earlier=give, changes=False)]


def special_files():
    def make(path):
        os.symlink("report.pdf", path / FOLDER / "link")

    def leads(path):
        expect(os.readlink(path / FOLDER / "link"), "report.pdf", "the target")

    def is_fifo(path):
        expect(stat.S_ISFIFO(os.lstat(path / FOLDER / "fifo").st_mode), True, "it is no fifo")

    return [warm("symlink", make, leads), cold("readlink", leads, earlier=make, changes=False),
            warm("mkfifo", lambda path: os.mkfifo(path / FOLDER / "fifo"), is_fifo)]


def locks():
    def run(first, second):
        with open(first / FILE, "r+b") as one, open(second / FILE, "r+b") as other:
            fcntl.flock(one, fcntl.LOCK_EX)
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                raise Wrong("both hold the lock")
            fcntl.flock(one, fcntl.LOCK_UN)
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

    return [cold("flock by two programs", lambda path: run(path, path), changes=False),
            cold("flock by two hosts", run, changes=False, hosts=2)]


def all_of(sizes):
    large = sizes.changed_bytes
    rename_tree, remove_tree, list_tree = trees(sizes.tree)
    return [create(), overwrite(), *changes_of_a_large_file(large), copy("500 KB", BODY), copy(f"{large // 1_000_000} MB", large_body(large)),
            shared_mapping(), hole(), rename(), rename_tree, rename_over_open(), remove_tree, unlink_open(), unnamed_file(), exclusive_on_two_hosts(),
            *attributes(), list_tree, *small_names(), *special_files(), link(), *extended_attributes(), *locks()]
