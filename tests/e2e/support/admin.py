"""The commands about a mount, as a person calls them."""

import json
import os
import subprocess

from . import paths


class Said:
    """What a command said."""

    def __init__(self, completed):
        self.status, self.out, self.err = completed.returncode, completed.stdout, completed.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"status {self.status}\n{self.out}\n{self.err}"


def prefixfs(word, mountpoint, *arguments, stdin=subprocess.DEVNULL, user=None, timeout=60):
    """`prefixfs WORD MOUNTPOINT ARGUMENTS`; `user`: by its number."""
    command = [paths.PREFIXFS, word, mountpoint, *arguments]
    environment = {"PATH": os.environ["PATH"]}
    return Said(subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=timeout, env=environment, user=user,
                               extra_groups=[] if user else None))


def status(mount):
    said = prefixfs("status", mount.path, "--json")
    assert said.status == 0, said
    return said.json()


def kept(mount):
    said = prefixfs("conflicts", mount.path, "list", "--json")
    assert said.status == 0, said
    return said.json()
