"""The names that a run is about: few, so that operations meet."""

DIRECTORIES = ["d0", "d1", "d0/s"]
# Directories that get each other's names, with the same names in them.
MOVED = ["r0", "r1"]
DIRECTORIES += [f"{directory}{below}" for directory in MOVED for below in ("", "/s")]
FILES = [*(f"f{i}" for i in range(5)), *(f"d0/f{i}" for i in range(4)), *(f"d1/f{i}" for i in range(3)), "d0/s/f0", "d0/s/f1"]
MOVED_FILES = [f"{directory}/{name}" for directory in MOVED for name in ("f0", "f1", "s/f0")]
FILES += MOVED_FILES
LINKS = ["l0", "l1", "d0/l0", "d1/l0"]  # symbolic links and fifos


def temporary(path):
    """What an editor calls it before the rename."""
    directory, _, name = path.rpartition("/")
    return f"{directory}/.{name}.tmp".lstrip("/")


TEMPORARY = [temporary(path) for path in FILES]
