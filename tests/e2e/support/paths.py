"""Where the programs under test are."""

import os
import pathlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PREFIXFS = pathlib.Path(os.environ.get("PREFIXFS_BINARY", REPOSITORY / "build/release/prefixfs"))
DEVS3 = pathlib.Path(os.environ.get("DEVS3_BINARY", REPOSITORY / "build/release/devs3"))
SERVERS = pathlib.Path(os.environ.get("PREFIXFS_SERVERS", REPOSITORY / "build/servers"))
