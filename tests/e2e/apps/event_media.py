"""Event media: images and videos, kept with Django's FileSystemStorage."""

import datetime

import django.conf
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

if not django.conf.settings.configured:
    django.conf.settings.configure(USE_TZ=True, MEDIA_URL="/media/")


class DatabaseDown(Exception):
    pass


class MediaService:
    def __init__(self, root, record=lambda name: None):
        self.storage = FileSystemStorage(location=str(root))
        self._record = record  # the database step

    def add(self, event_id, extension, content):
        now = datetime.datetime.now(datetime.timezone.utc)
        name = f"events/{event_id}/media/{now:%Y/%m/%d}/{now:%H%M%S}_{now.microsecond:06}.{extension}"
        name = self.storage.save(name, ContentFile(content))
        try:
            self._record(name)
        except DatabaseDown:
            self.storage.delete(name)
            raise
        return name

    def read_range(self, name, start, count):
        with self.storage.open(name, "rb") as file:
            file.seek(start)
            return file.read(count)

    def copy(self, name, new_name):
        with self.storage.open(name, "rb") as file:
            return self.storage.save(new_name, file)

    def delete(self, name):
        self.storage.delete(name)
