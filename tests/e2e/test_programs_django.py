"""Django's FileSystemStorage on a mount, checked as Django's own suite checks it."""

import contextlib
import datetime
import io
import os
import threading

import pytest

from apps import event_media  # settings of Django are made once in a process

import django.test
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import locks
from django.core.files.base import ContentFile, File
from django.core.files.move import file_move_safe
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

assert event_media.django.conf.settings.configured


@pytest.fixture
def storage(place):
    return FileSystemStorage(location=place.path, base_url="/media/")


def save(storage, name, content=b"content"):
    return storage.save(name, ContentFile(content))


def test_a_file_is_opened_written_read_and_deleted(place, storage):
    assert not storage.exists("test")
    with storage.open("test", "w") as file:
        file.write("storage contents")
    assert storage.exists("test") and storage.size("test") == 16
    with storage.open("test", "r") as file:
        assert file.read() == "storage contents"
    with storage.open("test", "rb+") as file:
        file.seek(8)
        file.write(b"CONTENTS")
    with storage.open("test", "ab") as file:
        file.write(b"!")
    place.come_back()
    with storage.open("test") as file:
        assert list(file.chunks(5)) == [b"stora", b"ge CO", b"NTENT", b"S!"]
    storage.delete("test")
    storage.delete("test")  # of what is not there: no error
    assert not storage.exists("test")
    with pytest.raises(FileNotFoundError):
        storage.open("test")


def test_saving_makes_directories_and_gives_another_name_where_one_is_taken(place, storage):
    assert save(storage, "a/b/c.txt", b"1") == "a/b/c.txt"
    other = save(storage, "a/b/c.txt", b"2")
    assert other != "a/b/c.txt" and other.startswith("a/b/c_") and other.endswith(".txt")
    assert save(storage, "a/b/.hidden") == "a/b/.hidden" and save(storage, "a/b/.hidden").startswith("a/b/.hidden_")
    shortened = storage.save(f"{'n' * 300}.txt", ContentFile(b"x"), max_length=100)
    assert len(shortened) == 100 and storage.exists(shortened)
    with pytest.raises(OSError):
        save(storage, f"{'n' * 300}.txt")
    for name in ("../outside", "/etc/outside", "a/../../outside"):
        with pytest.raises(SuspiciousFileOperation):
            save(storage, name)
    with pytest.raises(FileExistsError):
        save(storage, "a/b/c.txt/below a file")
    place.come_back()
    directories, files = storage.listdir("a/b")
    assert directories == [] and len(files) == 4 and {"c.txt", ".hidden", os.path.basename(other)} < set(files)
    assert storage.listdir("") == (["a"], [shortened])
    assert storage.path("a/b/c.txt") == str(place / "a" / "b" / "c.txt") and storage.url("a/b/c.txt") == "/media/a/b/c.txt"


def test_times_are_those_of_the_file(place, storage):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    save(storage, "file")
    for get in (storage.get_created_time, storage.get_accessed_time, storage.get_modified_time):
        assert before < get("file") < datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    os.utime(place / "file", (1_000_000_000, 1_100_000_000))
    place.come_back()
    assert storage.get_modified_time("file") == datetime.datetime.fromtimestamp(1_100_000_000, datetime.timezone.utc)


def test_files_and_directories_get_the_modes_of_the_settings(place):
    storage = FileSystemStorage(location=place.path, file_permissions_mode=0o654, directory_permissions_mode=0o765)
    save(storage, "d1/d2/file")
    place.come_back()
    assert oct(os.stat(place / "d1").st_mode & 0o777) == oct(os.stat(place / "d1" / "d2").st_mode & 0o777) == "0o765"
    assert oct(os.stat(place / "d1" / "d2" / "file").st_mode & 0o777) == "0o654"


@contextlib.contextmanager
def temporary_upload(name, data):
    """A file in FILE_UPLOAD_TEMP_DIR, as a request makes it."""
    handler = TemporaryFileUploadHandler()
    handler.new_file("file", name, "application/octet-stream", len(data))
    for start in range(0, len(data), handler.chunk_size):
        handler.receive_data_chunk(data[start:start + handler.chunk_size], start)
    uploaded = handler.file_complete(len(data))
    yield uploaded
    with contextlib.suppress(FileNotFoundError):  # it has been moved
        uploaded.close()


def test_a_storage_that_overwrites(place):
    storage = FileSystemStorage(location=place.path, allow_overwrite=True)
    assert save(storage, "d/file", b"a longer first version") == save(storage, "d/file", b"second") == "d/file"
    with temporary_upload("file", b"third") as uploaded:
        assert storage.save("d/file", uploaded) == "d/file"
    place.come_back()
    assert (place / "d" / "file").read_bytes() == b"third" and os.listdir(place / "d") == ["file"]


@pytest.mark.parametrize("temporary", ["on the mount", "elsewhere"])
def test_uploads_by_temporary_file_are_moved_into_place(place, storage, tmp_path, temporary):
    directory = place / "temporary" if temporary == "on the mount" else tmp_path / "temporary"
    directory.mkdir()
    data = os.urandom(3 << 20)
    with django.test.override_settings(FILE_UPLOAD_TEMP_DIR=str(directory)), temporary_upload("film.mp4", data) as uploaded:
        name = storage.save("films/film.mp4", uploaded)
    assert os.listdir(directory) == []
    place.come_back()
    with storage.open(name) as file:
        assert file.size == len(data) and file.read() == data
    assert os.stat(place / name).st_mode & 0o777 == 0o644


def test_uploads_in_memory_and_chunks(place, storage):
    data = b"\n".join(b"line %d" % number for number in range(50_000))
    uploaded = InMemoryUploadedFile(io.BytesIO(data), "file", "lines.txt", "text/plain", len(data), None)
    name = storage.save("lines.txt", uploaded)
    with storage.open(name) as file:
        copy = storage.save("copy.txt", File(file))
    place.come_back()
    with storage.open(copy) as file:
        assert sum(1 for _ in file) == 50_000
    assert (place / "copy.txt").read_bytes() == data


def test_two_that_save_one_name_at_once_get_two_names(place, storage):
    """The first has created the file, and has not written it yet."""
    entered, go_on = threading.Event(), threading.Event()

    class SlowFile(ContentFile):
        def chunks(self, *_):
            entered.set()
            assert go_on.wait(30)
            return super().chunks()

    names = []
    first = threading.Thread(target=lambda: names.append(storage.save("conflict", SlowFile(b"slow"))))
    first.start()
    assert entered.wait(30)
    names.append(save(storage, "conflict", b"fast"))
    go_on.set()
    first.join()
    place.come_back()
    assert sorted(storage.open(name).read() for name in names) == [b"fast", b"slow"] and len(set(names)) == 2


def test_directories_are_deleted_only_when_empty(place, storage):
    (place / "empty").mkdir()
    storage.delete("empty")
    assert not storage.exists("empty")
    save(storage, "full/file")
    with pytest.raises(OSError):
        storage.delete("full")
    assert storage.exists("full/file")


def test_file_move_safe_and_locks(place, tmp_path):
    (tmp_path / "source").write_bytes(b"moved")
    (place / "there").write_bytes(b"there")
    with pytest.raises(FileExistsError):
        file_move_safe(tmp_path / "source", place / "there")
    file_move_safe(tmp_path / "source", place / "there", allow_overwrite=True)
    file_move_safe(place / "there", place / "moved")
    assert os.listdir(place.path) == ["moved"] and (place / "moved").read_bytes() == b"moved" and not (tmp_path / "source").exists()
    with open(place / "moved", "rb") as first, open(place / "moved", "rb") as second:
        assert locks.lock(first, locks.LOCK_EX) and not locks.lock(second, locks.LOCK_EX | locks.LOCK_NB)
        assert locks.unlock(first) and locks.lock(second, locks.LOCK_EX | locks.LOCK_NB)


def test_saving_where_a_dangling_link_is_gives_another_name(place, storage):
    os.symlink("nowhere", place / "file")
    assert storage.exists("file") and save(storage, "file") != "file"
