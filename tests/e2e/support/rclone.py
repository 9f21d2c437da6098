"""rclone (the Debian package), set up by its environment alone."""

import os

from .programs import run

REMOTE = "tests"


def environment(endpoint, access, secret, region="us-east-1", remote=REMOTE):
    """`remote:bucket/prefix` names what is at this endpoint."""
    settings = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": endpoint, "ACCESS_KEY_ID": access, "SECRET_ACCESS_KEY": secret, "REGION": region}
    return {f"RCLONE_CONFIG_{remote.upper()}_{name}": value for name, value in settings.items()}


def copy(server, space, source, home, *options, **variables):
    """Puts what is in the directory `source` into `space`. `home`: a directory for what rclone keeps of its own."""
    (home / "rclone.conf").touch()
    known = {"PATH": os.environ["PATH"], "HOME": str(home), **environment(server.endpoint, server.access, server.secret), **variables}
    return run("rclone", "--config", home / "rclone.conf", "copy", *options, source, f"{REMOTE}:{space.bucket}/{space.prefix}", env=known)
