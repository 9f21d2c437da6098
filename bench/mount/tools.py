"""The file systems that are compared: each with its defaults, and with what it needs to reach the endpoint."""

import contextlib
import copy
import json
import os
import re
import shutil
import subprocess
import time

from endpoint import ACCESS, BUCKET, REGION, SECRET
from processes import Process, until
from support import rclone, s3fs  # of tests/e2e


def is_mounted(path):
    """Without a system call on the mount itself, which could wait."""
    with open("/proc/self/mountinfo") as table:
        return any(line.split()[4] == str(path) for line in table)


class Tool:
    """A way to mount a prefix. `prefix` is its own part of the bucket. `takes_over`: a killed worker is followed by another; `commits_later`: S3
    has what is closed a little later. `stands_in`: it is the one of its kind where one is enough; otherwise the first is."""
    takes_over = commits_later = False
    kind = ""

    def __init__(self, name, program, stands_in=False):
        self.name, self.program, self.stands_in = name, program, stands_in
        self.prefix = re.sub("[^a-z0-9]+", "-", name)

    def at(self, place):
        """The same with a part of the bucket that nobody has used."""
        other = copy.copy(self)
        other.prefix = f"{self.prefix}-{place}"
        return other

    def owes(self, mount):
        """Whether it has acknowledged what is not in the bucket yet."""
        return False

    def version(self):
        said = subprocess.run([self.program, self.version_word], capture_output=True, text=True, timeout=20).stdout
        found = re.search(r"\d+\.\d+(\.\d+)?", said)
        return f"{self.name} {found.group(0) if found else '?'}"


class Prefixfs(Tool):
    kind = "prefixfs"
    takes_over = True
    version_word = "--version"
    options = ""

    def command(self, endpoint, mountpoint, directory):
        return [self.program, f"s3://{BUCKET}/{self.prefix}", mountpoint, "-f",
                "-o", f"endpoint={endpoint.url},cache_dir={directory}/cache{self.options}"]

    def environment(self, _):
        return {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION}

    def with_options(self, more):
        other = copy.copy(self)
        other.options += more
        return other


class PrefixfsJournal(Prefixfs):
    commits_later = True
    options = ",commit=journal"

    def owes(self, mount):
        said = subprocess.run([self.program, "status", mount.path, "--json"], capture_output=True, timeout=60)
        return json.loads(said.stdout)["owed_changes"] > 0


class S3fs(Tool):
    version_word = "--version"

    def command(self, endpoint, mountpoint, directory):
        passwords = s3fs.write_passwords(directory / "passwd-s3fs", ACCESS, SECRET)
        return s3fs.command(BUCKET, self.prefix, mountpoint, endpoint.url, passwords)

    def environment(self, _):
        return {}


def _is_dirty(note):
    """What rclone's cache notes of a file. Half a note is being written."""
    try:
        return note.is_file() and json.loads(note.read_text())["Dirty"]
    except (ValueError, FileNotFoundError):
        return True


class Rclone(Tool):
    kind = "rclone"
    version_word = "version"

    def command(self, _, mountpoint, directory):
        (directory / "rclone.conf").touch()
        return [self.program, "mount", f"bench:{BUCKET}/{self.prefix}", mountpoint, "--vfs-cache-mode", "writes",
                "--config", directory / "rclone.conf", "--cache-dir", directory / "cache"]

    def owes(self, mount):
        return any(map(_is_dirty, (mount.directory / "cache" / "vfsMeta").rglob("*")))

    def environment(self, endpoint):
        return rclone.environment(endpoint.url, ACCESS, SECRET, REGION, "bench")


def find(prefixfs, rclone_newest):
    """All tools that this machine has, prefixfs first. `rclone_newest`: None, or a program that may be missing."""
    tools = [Prefixfs("prefixfs", prefixfs), PrefixfsJournal("prefixfs commit=journal", prefixfs), S3fs("s3fs", shutil.which("s3fs")),
             Rclone("rclone", shutil.which("rclone")), Rclone("rclone (newest)", rclone_newest, stands_in=True)]
    return [tool for tool in tools if tool.program and os.access(tool.program, os.X_OK)]


class Mount:
    """One life of a tool's daemon, with an empty cache. Ends in every case. `keeps`: what is in the directory stays there for the next life."""

    def __init__(self, tool, endpoint, directory, keeps=False):
        self.path = directory / "mnt"
        home = directory / "home"
        for made in (self.path, home):
            made.mkdir(parents=True, exist_ok=keeps)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), **tool.environment(endpoint)}
        self.directory, self._keeps = directory, keeps
        began = time.monotonic()
        self.process = Process(tool.command(endpoint, self.path, directory), directory / "daemon.log", environment)
        try:
            until(lambda: is_mounted(self.path) or not self.process.is_alive(), 30, f"{tool.name} is mounted", nap=0.001)
            if not is_mounted(self.path):
                raise RuntimeError(f"{tool.name} did not mount: {self.process.last_lines()}")
            os.stat(self.path)
            self.seconds_to_start = time.monotonic() - began
        except BaseException:
            self.end()
            raise

    def end(self):
        root = os.geteuid() == 0
        self._unmount(["umount"] if root else ["fusermount3", "-u"])
        if not self.process.wait(30):
            self.process.stop()
        self._unmount(["umount", "-l"] if root else ["fusermount3", "-uz"])
        if not self._keeps and not is_mounted(self.path):
            shutil.rmtree(self.directory, ignore_errors=True)

    def _unmount(self, command):
        if is_mounted(self.path):
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run([*command, str(self.path)], capture_output=True, timeout=120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
