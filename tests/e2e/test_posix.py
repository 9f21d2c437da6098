"""Every case of conformance/, on the machine's own file system and on mounts. What fails on a mount is in the table of SEMANTICS.md, and
what is in the table fails."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

from conformance import libc, registry
from support import machine, paths

SEMANTICS = paths.REPOSITORY / "src/vfs/SEMANTICS.md"
HEADING = "## Differences from POSIX"
E2E = pathlib.Path(__file__).parent
OTHER = 65534
SECONDS = 90
SUITABLE = (libc.EXT_MAGIC, libc.XFS_MAGIC, libc.BTRFS_MAGIC)
USERS = pytest.mark.parametrize("user", [registry.ROOT, registry.ORDINARY])


def run_cases(directory, user):
    """{case id: (outcome, detail)} of the cases in a new directory that belongs to the user."""
    work = directory / "posix"
    work.mkdir()
    options = []
    if os.geteuid() == 0 and user == registry.ORDINARY:
        os.chown(work, OTHER, OTHER)
        options = ["--user", str(OTHER)]
    done = subprocess.run([sys.executable, "-m", "conformance.run", *options, work], cwd=E2E, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode in (0, 1) and done.stdout, f"the runner ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr}"
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["id"]: (line["outcome"], line["detail"]) for line in lines}


def table(server):
    """The patterns of case ids in SEMANTICS.md that hold for this server, in order. A row that begins with "on NAME:" is for that server alone."""
    section = SEMANTICS.read_text().split(f"\n{HEADING}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    patterns = []
    for row in rows[2:]:
        alone = re.match(r"on (\w+):", row)
        if not alone or alone[1] == server:
            patterns += re.findall(r"`([^`]+)`", row)
    return patterns


def matches(pattern, identity):
    return identity.startswith(pattern[:-1]) if pattern.endswith("*") else identity == pattern


def disagreements(results, patterns, known):
    """Lines for a reader: fails and is not in the table; is in the table and passes; is in the table and is none of the known cases."""
    def listed(identity):
        return any(matches(pattern, identity) for pattern in patterns)

    return ([f"fails, and is not in the table: {identity}\n    {detail}"
             for identity, (outcome, detail) in results.items() if outcome == "fail" and not listed(identity)] +
            [f"is in the table, and passes: {identity}" for identity, (outcome, _) in results.items() if outcome == "pass" and listed(identity)] +
            [f"is in the table, and is no case: {pattern}" for pattern in patterns if not any(matches(pattern, identity) for identity in known)])


def known_cases():
    return [case.id for case in registry.cases_of()]


def require(user):
    if user == registry.ROOT:
        machine.require_root()
        machine.require_fuse()  # the right to mount, which some cases need too


@pytest.fixture
def local():
    """A directory of the machine's own file system that every user may enter."""
    places = [place for place in (tempfile.gettempdir(), "/var/tmp") if libc.file_system_type(place) in SUITABLE and
              not os.statvfs(place).f_flag & os.ST_NOATIME]
    if not places:
        machine.skip("temporary files are on neither ext4, xfs nor btrfs, or without atime")
    made = pathlib.Path(tempfile.mkdtemp(prefix="prefixfs-posix.", dir=places[0]))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@USERS
def test_the_cases_hold_on_the_machines_own_file_system(local, user):
    """That proves the cases."""
    require(user)
    failed = disagreements(run_cases(local, user), [], [])
    assert not failed, f"{len(failed)} cases fail:\n" + "\n".join(failed)


@USERS
def test_a_mount_differs_where_the_table_says(public_mounts, server, space, user, request):
    require(user)
    everyone = {"allow_other": True} if os.geteuid() == 0 else {}
    mnt = public_mounts.start(space.source, server.endpoint, server.access, server.secret, **everyone).wait_connected()
    wrong = disagreements(run_cases(mnt.path, user), table(request.node.callspec.params["server"]), known_cases())
    assert not wrong, f"{len(wrong)} disagreements with the table in {SEMANTICS}:\n" + "\n".join(wrong)


def test_a_wrong_table_is_noticed():
    results = {"call.one": ("fail", "seen"), "call.other": ("pass", ""), "call.another": ("fail", "seen")}
    assert disagreements(results, ["call.one", "call.another"], results) == []
    assert disagreements(results, ["call.*"], results) == ["is in the table, and passes: call.other"]
    assert disagreements(results, ["call.one", "call.gone"], results) == ["fails, and is not in the table: call.another\n    seen",
                                                                          "is in the table, and is no case: call.gone"]
