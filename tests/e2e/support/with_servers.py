"""Runs a command with real S3 servers beside it, named in its environment.

usage: python -m support.with_servers COMMAND...
For each server NAME that this machine can run: PREFIXFS_TEST_<NAME>_ENDPOINT, _ACCESS_KEY, _SECRET_KEY, _BUCKET. The others are
listed on standard error with the reason.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from .machine import PREFIX
from .servers import RealServer, Unavailable


def main(command):
    servers = []
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="prefixfs-servers.") as directory:
        try:
            for name in ("versitygw", "moto"):
                try:
                    server = RealServer(name, pathlib.Path(directory) / name)
                except Unavailable as reason:
                    print(f"{PREFIX}{name}: {reason}", file=sys.stderr)
                    continue
                servers.append(server)
                server.client().create_bucket(Bucket="contract")
                stem = f"PREFIXFS_TEST_{name.upper()}_"
                environment |= {stem + "ENDPOINT": server.endpoint, stem + "ACCESS_KEY": server.access,
                                stem + "SECRET_KEY": server.secret, stem + "BUCKET": "contract"}
            return subprocess.run(command, env=environment).returncode
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] == "--help":
        print(__doc__)
        sys.exit(0 if len(sys.argv) == 2 else 1)
    sys.exit(main(sys.argv[1:]))
