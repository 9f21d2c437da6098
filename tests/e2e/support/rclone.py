"""rclone (the Debian package), set up by its environment alone."""

import os

from .mount import Mount
from .programs import run

REMOTE = "tests"


def environment(endpoint, access, secret, region="us-east-1", remote=REMOTE):
    """`remote:bucket/prefix` names what is at this endpoint."""
    settings = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": endpoint, "ACCESS_KEY_ID": access, "SECRET_ACCESS_KEY": secret, "REGION": region}
    return {f"RCLONE_CONFIG_{remote.upper()}_{name}": value for name, value in settings.items()}


def command(home, *words):
    """`home`: a directory for what rclone keeps of its own."""
    (home / "rclone.conf").touch()
    return ["rclone", "--config", home / "rclone.conf", "--cache-dir", home / "cache", *words]


def place(space):
    return f"{REMOTE}:{space.bucket}/{space.prefix}"


def copy(server, space, source, home, *options, **variables):
    """Puts what is in the directory `source` into `space`."""
    known = {"PATH": os.environ["PATH"], "HOME": str(home), **environment(server.endpoint, server.access, server.secret), **variables}
    return run(*command(home, "copy", *options, source, place(space)), env=known)


class RcloneMount(Mount):
    """rclone mount, which uploads when a file is closed."""

    def __init__(self, server, space, directory, *options):
        super().__init__(space.source, directory, environment=environment(server.endpoint, server.access, server.secret))
        self._space, self._options = space, options

    def command(self):
        return command(self.directory, "mount", place(self._space), self.path, "--vfs-cache-mode=writes", "--vfs-write-back=0", *self._options)
