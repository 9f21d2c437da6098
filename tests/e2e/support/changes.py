"""What a program may do to a file that another client has stored. Each gives back the path that has the file afterwards."""

import os


def change_bytes(path):
    with open(path, "ab") as file:
        file.write(b"more")
    return path


def change_mode(path):
    os.chmod(path, 0o600)
    return path
