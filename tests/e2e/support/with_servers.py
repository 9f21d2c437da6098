"""Runs a command with devs3 and real S3 servers beside it, named in its environment as tests/contract wants them.

usage: python -m support.with_servers COMMAND...
PREFIXFS_CONTRACT_ENDPOINTS holds an entry for each server that this machine can run; the others are listed on standard error with
the reason.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from .devs3 import ACCESS, REGION, SECRET, Devs3
from .machine import PREFIX
from .servers import RealServer, Unavailable

BUCKET = "contract"
# What the servers are known to lack; the words are those of SKIP_IF_LACKING in tests/contract.
LACKS = {
    # Keys are paths of its file system, and control characters come raw in XML. No storage class is an archive. Objects have no ACLs: what is
    # granted when they are written is ignored, GetObjectAcl is answered with 501.
    "versitygw": ["odd_keys", "control_characters", "archive", "acl"],
    # Accepts every checksum without a look, ignores conditions on a copy's source, answers 500 for an upload that is gone. Restores at once.
    "moto": ["checksum", "multipart_checksum", "copy_source_condition", "upload_check", "control_characters", "archive"],
}


def entry(name, endpoint, access, secret, region):
    lacks = LACKS.get(name)
    return ",".join([f"{name}={endpoint}", access, secret, BUCKET, region] + ([f"lacks={'+'.join(lacks)}"] if lacks else []))


def main(command):
    running, entries = [], []
    with tempfile.TemporaryDirectory(prefix="prefixfs-servers.") as scratch:
        directory = pathlib.Path(scratch)
        try:
            config = {"keys": [{"access": ACCESS, "secret": SECRET}], "buckets": [{"name": BUCKET, "acls": True}]}
            devs3 = Devs3(directory / "devs3", config).start()
            running.append(devs3)
            entries.append(entry("devs3", devs3.endpoint, ACCESS, SECRET, REGION))
            for name in ("versitygw", "moto"):
                try:
                    server = RealServer(name, directory / name)
                except Unavailable as reason:
                    print(f"{PREFIX}{name}: {reason}", file=sys.stderr)
                    continue
                running.append(server)
                server.client().create_bucket(Bucket=BUCKET)
                entries.append(entry(name, server.endpoint, server.access, server.secret, server.region))
            return subprocess.run(command, env={**os.environ, "PREFIXFS_CONTRACT_ENDPOINTS": " ".join(entries)}).returncode
        finally:
            for server in running:
                server.stop()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] == "--help":
        print(__doc__)
        sys.exit(0 if len(sys.argv) == 2 else 1)
    sys.exit(main(sys.argv[1:]))
