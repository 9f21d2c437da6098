"""The real things beside the reference: S3, two mounts of one prefix with a link each, and another S3 client."""

import contextlib
import itertools
import os

from support import admin, mount
from support.clients import Space
from support.devs3 import ACCESS, SECRET
from support.wait import until

from .link import Link

_prefixes = itertools.count(1)


class RealHost:
    """A mount, and the files that are open in it, by slot."""

    def __init__(self, name, directory, server, source, options):
        self.name = name
        self.link = Link(server.port)
        self.cut = False
        self.descriptors = {}
        self.mount = mount.Mount(source, directory, self.link.endpoint, ACCESS, SECRET, options)

    def path(self, name):
        return os.path.join(self.mount.path, name)

    def start(self):
        self.mount.start()
        if not self.cut:
            self.wait_connected()

    def wait_connected(self):
        def connected():
            said = admin.prefixfs("status", self.mount.path, "--json")
            return said.status == 0 and said.json()["s3_answers"]  # a worker that was killed has no answer

        until(connected, 30, f"host {self.name} reaches S3")

    def close_all(self):
        """Of a mount that is dead: what close() says is of no interest."""
        for descriptor in self.descriptors.values():
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self.descriptors.clear()

    def kill(self):
        self.mount.kill()
        self.close_all()
        self.link.end()

    def end(self):
        self.link.heal()
        self.close_all()
        try:
            self.mount.stop()
        finally:
            self.link.end()


class World:
    def __init__(self, directory, server, options):
        """`options`: name of a host -> its -o words."""
        self.server = server
        self.space = Space(server.client(), "e2e", f"model-{os.getpid()}-{next(_prefixes)}/")
        self.hosts = {name: RealHost(name, directory / name, server, self.space.source, words) for name, words in options.items()}
        self.faults = []

    def start(self):
        for host in self.hosts.values():
            host.start()
        return self

    def set_faults(self, rules):
        self.faults = rules
        self.server.faults(*self.faults)

    @contextlib.contextmanager
    def undisturbed(self):
        """For the other client, which does not try again."""
        if self.faults:
            self.server.faults()
        try:
            yield
        finally:
            if self.faults:
                self.server.faults(*self.faults)

    def kill(self):
        self.set_faults([])
        for host in self.hosts.values():
            host.kill()

    def end(self):
        self.set_faults([])
        problems = []
        for host in self.hosts.values():
            try:
                host.end()
            except AssertionError as problem:
                problems.append(str(problem))
        assert not problems, "\n".join(problems)
