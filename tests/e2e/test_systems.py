"""The four systems that prefixfs is for: their own code, unchanged, on mounts."""

import errno
import io
import os
import threading
import urllib.request
import zipfile

import pytest
from fastapi.testclient import TestClient

from apps import resume_screening
from apps.cv_processing import LocalStorage
from apps.event_media import DatabaseDown, MediaService
from apps.illustrations import ImageStore
from support.clients import Space
from support.wait import until

MIB = 1 << 20


def presigned(space, name, method="get_object"):
    return space.client.generate_presigned_url(method, Params={"Bucket": space.bucket, "Key": space.key(name)}, ExpiresIn=300)


# Resume screening: two hosts, rights without s3:ListBucket, every upload encrypted.

@pytest.fixture
def resumes(devs3, mounts, request):
    space = Space(devs3.client(), "starscreen-resumes-prod", f"resumes/{request.node.name}/")
    start = lambda: mounts.start(space.source, devs3.endpoint, access="resumes", secret="resumessecret")
    api_host, worker_host = start(), start()
    return space, TestClient(resume_screening.create_app(api_host.path)), worker_host


def test_resumes_one_by_one(resumes):
    space, api, worker_host = resumes
    for number in range(30):
        content = os.urandom(50_000 + number)
        name = api.post("/resumes", files={"file": (f"cv {number}.pdf", content)}).json()["file_path"]
        assert resume_screening.parse(worker_host.path, name) == len(content)
        assert space.get(name) == content
        assert space.head(name)["ServerSideEncryption"] == "AES256"
        assert api.get(f"/resumes/{name}").content == content
        api.delete(f"/resumes/{name}")
        assert api.get(f"/resumes/{name}").status_code == 404
    assert space.names() == []


def test_resumes_as_a_zip_of_hundreds(resumes):
    space, api, worker_host = resumes
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for number in range(300):
            packed.writestr(f"batch/{number}.txt", b"resume %d" % number)
    names = api.post("/bulk", files={"file": ("batch.zip", archive.getvalue())}).json()["file_paths"]
    assert len(names) == 300 and space.names() == sorted(names)
    assert sum(resume_screening.parse(worker_host.path, name) for name in names) == sum(len(b"resume %d" % number) for number in range(300))


def test_resumes_uploaded_at_the_same_time(resumes):
    space, api, _ = resumes
    failures = []

    def upload(number):
        answer = api.post("/resumes", files={"file": (f"{number}.pdf", b"%d" % number * 1000)})
        if answer.status_code != 200:
            failures.append(answer.text)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and len(space.names()) == 40


def test_resumes_that_a_lifecycle_rule_deletes(devs3, resumes):
    space, api, _ = resumes
    name = api.post("/resumes", files={"file": ("old.pdf", b"x")}).json()["file_path"]
    devs3.expire(space.bucket, space.key(name))
    until(lambda: api.get(f"/resumes/{name}").status_code == 404, 3, "the resume is gone")


def test_resumes_by_presigned_url(resumes):
    space, api, worker_host = resumes
    name = api.post("/resumes", files={"file": ("cv.pdf", b"content")}).json()["file_path"]
    with urllib.request.urlopen(presigned(space, name)) as answer:
        assert answer.read() == b"content" and answer.headers["Content-Type"] == "application/pdf"


# CV processing: directories by tenant and upload.

def test_cvs_are_saved_retrieved_and_deleted(mnt, space):
    storage = LocalStorage(mnt.path)
    for tenant in ("tenant-a", "tenant-b"):
        for upload in ("u1", "u2"):
            storage.save(tenant, upload, "cv.docx", f"{tenant}/{upload}".encode())
    assert space.get("tenant-a/u2/cv.docx") == b"tenant-a/u2"
    assert storage.retrieve("tenant-b", "u1") == ("cv.docx", b"tenant-b/u1")
    assert storage.exists("tenant-a", "u1") and not storage.exists("tenant-a", "u3")
    storage.delete("tenant-a", "u1")
    assert not storage.exists("tenant-a", "u1")
    assert not any(name.startswith("tenant-a/u1") for name in space.names())
    assert storage.exists("tenant-a", "u2")
    with pytest.raises(KeyError):
        storage.retrieve("tenant-a", "u1")


def test_cvs_written_by_another_client_are_found(mnt, space):
    space.put("tenant/up/cv.pdf", b"theirs")
    storage = LocalStorage(mnt.path)
    until(lambda: storage.exists("tenant", "up"), 3, "the upload is there")
    assert storage.retrieve("tenant", "up") == ("cv.pdf", b"theirs")
    storage.delete("tenant", "up")
    assert not any(name.startswith("tenant/up") for name in space.names())


# Event media: Django's storage, a limit of size, types that browsers need.

def test_media_are_kept_under_dates_with_their_types(mnt, space):
    media = MediaService(mnt.path)
    image, video = os.urandom(200_000), os.urandom(5 * MIB)
    jpg, mp4 = media.add(7, "jpg", image), media.add(7, "mp4", video)
    assert space.get(jpg) == image and space.head(jpg)["ContentType"] == "image/jpeg"
    assert space.get(mp4) == video and space.head(mp4)["ContentType"] == "video/mp4"
    with urllib.request.urlopen(presigned(space, mp4)) as answer:
        assert answer.headers["Content-Type"] == "video/mp4" and len(answer.read()) == len(video)
    copy = media.copy(jpg, "events/8/media/copy.jpg")
    assert space.get(copy) == image
    media.delete(jpg)
    assert not space.exists(jpg) and space.exists(copy)


def test_two_media_of_one_name_get_two_names(mnt):
    storage = MediaService(mnt.path).storage
    from django.core.files.base import ContentFile
    assert storage.save("same.png", ContentFile(b"1")) != storage.save("same.png", ContentFile(b"2"))


def test_media_that_are_too_large_leave_nothing(make_mount, space):
    media = MediaService(make_mount(max_file_size="10M").path)
    fits = media.add(7, "bin", bytes(10 * MIB))
    with pytest.raises(OSError) as raised:
        media.add(7, "bin", bytes(10 * MIB + 1))
    assert raised.value.errno == errno.EFBIG
    media_names = [name for name in space.names() if not name.endswith("/") and name != fits]
    assert all(space.head(name)["ContentLength"] <= 10 * MIB for name in media_names)
    until(lambda: space.uploads() == [], 10, "the parts that were sent are gone")


def test_media_are_deleted_when_the_database_is_down(mnt, space):
    def database(_):
        raise DatabaseDown

    with pytest.raises(DatabaseDown):
        MediaService(mnt.path, database).add(7, "jpg", b"x")
    assert [name for name in space.names() if not name.endswith("/")] == []


def test_a_video_is_played_from_the_middle(mnt, space, record):
    video = os.urandom(60 * MIB)
    space.put("film.mp4", video)
    recording = record()
    assert MediaService(mnt.path).read_range("film.mp4", 50 * MIB, 100_000) == video[50 * MIB:50 * MIB + 100_000]
    first = recording.requests().of("GetObject")
    assert len(first) <= 3
    assert first.bytes_out() < 30 * MIB


# Illustrations: several mounts of one bucket, and a second service that writes with an SDK.

@pytest.fixture
def bucket(devs3):
    return Space(devs3.client(), "auto-bio-illustrations", "")


@pytest.fixture
def store(mounts, devs3, bucket):
    start = lambda prefix: mounts.start(f"s3://{bucket.bucket}/{prefix}", devs3.endpoint).path
    return ImageStore(start("subjects"), start("avatars/"), start("generated"))


def test_illustrations_of_several_prefixes(bucket, store):
    store.add_subject("cat.png", b"cat")
    store.set_avatar("u1", b"avatar")
    name = store.add_memory("u1", b"memory")
    assert bucket.get("subjects/cat.png") == b"cat"
    assert bucket.get("avatars/u1.png") == b"avatar"
    assert bucket.get(f"generated/memory/u1/{name}") == b"memory"
    assert store.memories("u1") == [name]


def test_illustrations_of_the_second_service_appear(bucket, store):
    bucket.put("generated/memory/sdk-user/1-a.png", b"1")
    until(lambda: "sdk-user" in store.users_with_memories(), 3, "the user's directory is there")
    assert store.memories("sdk-user") == ["1-a.png"]
    bucket.put("generated/memory/sdk-user/2-b.png", b"2")
    until(lambda: store.memories("sdk-user") == ["1-a.png", "2-b.png"], 3, "the second image is there")


def test_an_avatar_that_is_overwritten_is_read_old_or_new(bucket, store, mounts, devs3):
    """By another host: on the writer's own one a file that is being written can be seen, as on every local disk."""
    elsewhere = mounts.start("s3://auto-bio-illustrations/avatars", devs3.endpoint)
    images = [bytes([65 + number]) * 300_000 for number in range(6)]
    store.set_avatar("u2", images[0])
    until(lambda: (elsewhere / "u2.png").exists(), 3, "the avatar is there")
    stop, seen, problems = threading.Event(), set(), []

    def read():
        while not stop.is_set():
            try:
                image = (elsewhere / "u2.png").read_bytes()
            except OSError as error:
                if error.errno != errno.ESTALE:
                    problems.append(error)
                continue
            if image not in images:
                problems.append(f"{len(image)} bytes, of {len(set(image))} versions")
            seen.add(image[:1])

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number, image in enumerate(images):
        bucket.put("avatars/u2.png", image) if number % 2 else store.set_avatar("u2", image)
        until(lambda: image[:1] in seen, 4, "the image is seen")
    stop.set()
    for reader in readers:
        reader.join()
    assert problems == [] and seen


def test_one_mount_of_the_whole_bucket(mounts, devs3, bucket):
    bucket.put("stubs/one.png", b"1")
    root = mounts.start(f"s3://{bucket.bucket}", devs3.endpoint)
    assert "stubs" in os.listdir(root.path)
    (root / "stubs" / "two.png").write_bytes(b"2")
    assert bucket.get("stubs/two.png") == b"2"
