"""Illustration service: avatars that are overwritten in place, and generated images by user."""

import os
import pathlib
import time
import uuid


class ImageStore:
    def __init__(self, subjects, avatars, generated):
        self._subjects, self._avatars, self._generated = map(pathlib.Path, (subjects, avatars, generated))

    def set_avatar(self, user_id, image):
        with open(self._avatars / f"{user_id}.png", "wb") as file:
            file.write(image)

    def avatar(self, user_id):
        return (self._avatars / f"{user_id}.png").read_bytes()

    def add_subject(self, name, image):
        (self._subjects / name).write_bytes(image)

    def add_memory(self, user_id, image):
        directory = self._generated / "memory" / user_id
        os.makedirs(directory, exist_ok=True)
        path = directory / f"{int(time.time())}-{uuid.uuid4()}.png"
        path.write_bytes(image)
        return path.name

    def memories(self, user_id):
        directory = self._generated / "memory" / user_id
        return sorted(os.listdir(directory)) if directory.is_dir() else []

    def users_with_memories(self):
        return sorted(entry.name for entry in os.scandir(self._generated / "memory") if entry.is_dir())
