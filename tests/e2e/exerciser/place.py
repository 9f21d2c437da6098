"""Where the file under test is: a mount with the bucket behind it, or (to try the exerciser itself) a plain directory."""

import os
import shutil

import botocore.exceptions

from support import admin
from support.clients import Space
from support.mount import Mount
from support.wait import until

DRAIN = "60s"


class LocalPlace:
    """A file system that is trusted. It has no bucket and is not mounted anew."""

    mounted, journal = False, False

    def __init__(self, directory):
        self.path = directory / "tried"
        self.path.mkdir()

    def start(self):
        return self

    def end(self):
        shutil.rmtree(self.path)


class MountedPlace:
    mounted = True

    def __init__(self, directory, server, prefix, options):
        self.space = Space(server.client(), "e2e", prefix)
        self.journal, self.ttl = options.get("commit") == "journal", options.get("ttl", "1")
        self.mount = Mount(self.space.source, directory, server.endpoint, server.access, server.secret, options)
        self.path = self.mount.path

    def start(self):
        self.mount.start().wait_connected()
        return self

    def end(self):
        self.mount.stop()

    def remount(self, cold):
        self.mount.remount(cold)

    def drain(self):
        if self.journal:
            said = admin.prefixfs("drain", self.path, "--timeout", DRAIN)
            assert said.status == 0, f"drain: {said}"

    def object(self, name):
        """Its bytes; None: there is no such object."""
        try:
            return self.space.get(name)
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def check_rest(self, names):
        """Nothing is left behind but the objects."""
        self.drain()
        until(lambda: self.space.uploads() == [], 10, "no multipart upload is left open")
        assert set(self.space.names()) <= set(names), f"keys that nobody has made: {self.space.names()}"
        kept = admin.kept(self.mount)
        assert kept == [], f"kept, though nobody else has written: {kept}"
        errors = [line for line in self.mount.log().splitlines() if " error " in line]
        assert errors == [], "error lines in the log, though nothing was in the way:\n" + "\n".join(errors)


def make(directory, server, prefix, options):
    return MountedPlace(directory, server, prefix, options) if server else LocalPlace(directory)


def oracle_directory(directory):
    path = directory / "oracle"
    os.makedirs(path)
    return path
