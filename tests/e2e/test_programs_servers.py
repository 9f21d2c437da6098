"""Web servers and a queue's workers with their files on a mount."""

import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import random
import sys
import threading

import flask
import httpx
import pytest
import werkzeug.serving
import werkzeug.utils

from support import machine
from support.process import Process, answers, free_port
from support.programs import finish, run, start

HERE = pathlib.Path(__file__).parent
MIB = 1 << 20

NGINX = """\
daemon off; worker_processes 2; pid {local}/pid; error_log stderr; {user}
events {{ worker_connections 64; }}
http {{
  types {{ text/plain txt; }}
  access_log off; client_body_temp_path {bodies}; client_max_body_size 0;
  proxy_temp_path {local}/t1; fastcgi_temp_path {local}/t2; uwsgi_temp_path {local}/t3; scgi_temp_path {local}/t4;
  server {{
    listen 127.0.0.1:{port}; root {root}; autoindex on;
    location / {{ dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; dav_access user:rw group:r all:r; sendfile on; }}
    location /direct/ {{ alias {root}/; directio 128k; output_buffers 2 128k; }}
    location /cached/ {{ alias {root}/; open_file_cache max=100 inactive=5s; open_file_cache_valid 1s; aio threads; }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(root, bodies, local):
    machine.require_program("nginx")
    port = free_port()
    bodies.mkdir(exist_ok=True)
    settings = NGINX.format(local=local, root=root, bodies=bodies, port=port, user="user root;" if os.geteuid() == 0 else "")
    (local / "nginx.conf").write_text(settings)
    server = Process(["nginx", "-p", local, "-c", local / "nginx.conf", "-e", "stderr"], local / "nginx.log")
    try:
        server.wait_until(lambda: answers(port), "nginx answers")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.stop()
    assert "[crit]" not in server.log() and "[alert]" not in server.log(), server.log()


@pytest.mark.parametrize("bodies", ["beside the files", "elsewhere"])
def test_nginx_takes_and_gives_files_by_webdav(place, tmp_path, bodies):
    """It writes an upload into a file of its own, and renames that, or copies it first from another file system."""
    root, data = place / "www", os.urandom(2 * MIB)
    root.mkdir()
    with nginx(root, place / "bodies" if bodies == "beside the files" else tmp_path / "bodies", tmp_path) as client:
        assert client.put("/new/deep/file.bin", content=data).status_code == 201
        assert client.put("/new/deep/small.txt", content=b"small").status_code == 201
        assert client.put("/new/deep/small.txt", content=b"smaller").status_code == 204
        assert (root / "new" / "deep" / "file.bin").read_bytes() == data
        assert client.request("MKCOL", "/made/").status_code == 201
        for method, target in (("COPY", "/made/copy.bin"), ("MOVE", "/made/moved.bin")):
            assert client.request(method, "/new/deep/file.bin", headers={"Destination": target}).status_code == 204, method
        assert client.get("/new/deep/file.bin").status_code == 404
        assert client.request("COPY", "/made/", headers={"Destination": "/all/"}).status_code in (201, 204)
        assert client.delete("/made/copy.bin").status_code == 204
        assert client.delete("/made/").status_code == 204
    place.come_back()
    assert not (root / "made").exists() and sorted(os.listdir(root / "all")) == ["copy.bin", "moved.bin"]
    assert (root / "all" / "moved.bin").read_bytes() == data and (root / "new" / "deep" / "small.txt").read_bytes() == b"smaller"


def test_nginx_serves_ranges_conditions_and_listings(place, tmp_path):
    root, data = place / "www", os.urandom(3 * MIB)
    root.mkdir()
    (root / "film.bin").write_bytes(data)
    (root / "page.txt").write_bytes(b"first")
    place.come_back()
    with nginx(root, place / "bodies", tmp_path) as client:
        for view in ("", "/direct", "/cached"):
            whole = client.get(f"{view}/film.bin")
            assert whole.content == data and whole.headers["Accept-Ranges"] == "bytes"
            part = client.get(f"{view}/film.bin", headers={"Range": "bytes=2000000-2999999"})
            assert (part.status_code, part.content) == (206, data[2_000_000:3_000_000])
            again = client.get(f"{view}/film.bin", headers={"If-None-Match": whole.headers["ETag"]})
            assert again.status_code == 304
            assert client.get(f"{view}/page.txt").text == "first"
        assert '<a href="film.bin">' in client.get("/").text
        (root / "page.txt").write_bytes(b"second version")
        assert client.get("/page.txt").text == "second version"
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda _: hashlib.sha256(client.get("/film.bin").content).hexdigest(), range(16)))
        assert found == {hashlib.sha256(data).hexdigest()}


UVICORN = """
import sys, uvicorn
from apps.resume_screening import create_app
uvicorn.run(create_app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
"""


def test_fastapi_takes_uploads_with_its_temporary_files_on_the_mount(place, tmp_path):
    """A process of its own, under uvicorn; uploads over 1 MB go through a temporary file."""
    port, uploads, temporary = free_port(), place / "uploads", place / "tmp"
    uploads.mkdir()
    temporary.mkdir()
    server = Process([sys.executable, "-c", UVICORN, uploads, port], tmp_path / "uvicorn.log", {**os.environ, "TMPDIR": str(temporary)}, cwd=HERE)
    try:
        server.wait_until(lambda: answers(port), "uvicorn answers", 30)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            def upload(number):
                data = random.Random(number).randbytes(1000 if number % 4 else 2 * MIB)
                name = client.post("/resumes", files={"file": (f"cv {number}.pdf", data)}).json()["file_path"]
                answer = client.get(f"/resumes/{name}")
                part = client.get(f"/resumes/{name}", headers={"Range": "bytes=100-199"})
                return answer.content == data and part.content == data[100:200] and answer.headers["content-length"] == str(len(data))

            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                assert all(pool.map(upload, range(12)))
            names = os.listdir(uploads)
            assert len(names) == 12 and client.delete(f"/resumes/{names[0]}").status_code == 200
            assert client.get(f"/resumes/{names[0]}").status_code == 404
    finally:
        server.stop()
    place.come_back()
    assert sorted(os.listdir(uploads)) == sorted(names[1:]) and os.listdir(temporary) == []


def flask_application(directory):
    application = flask.Flask("uploads")

    @application.post("/")
    def save():
        file = flask.request.files["file"]
        name = werkzeug.utils.secure_filename(file.filename)
        file.save(os.path.join(directory, name))
        return name

    @application.get("/<path:name>")
    def send(name):
        return flask.send_from_directory(directory, name, max_age=0)

    return application


def test_flask_takes_and_sends_uploads(place):
    server = werkzeug.serving.make_server("127.0.0.1", 0, flask_application(place.path), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", timeout=60) as client:
            for size in (0, 10, 600_000, 3 * MIB):
                data = os.urandom(size)
                assert client.post("/", files={"file": (f"../{size} bytes.bin", data)}).text == f"{size}_bytes.bin"
                answer = client.get(f"/{size}_bytes.bin")
                assert answer.content == data
                condition = {"If-None-Match": answer.headers["ETag"], "If-Modified-Since": answer.headers["Last-Modified"]}
                assert client.get(f"/{size}_bytes.bin", headers=condition).status_code == 304
                assert client.get("/missing").status_code == 404
            last = client.get("/3145728_bytes.bin").headers
            place.come_back()
            assert client.get("/3145728_bytes.bin").headers["Last-Modified"] == last["Last-Modified"]
            assert client.get("/3145728_bytes.bin", headers={"Range": "bytes=-100"}).content == data[-100:]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


PRODUCER = """
import hashlib, os, pathlib, sys, tempfile
root, how = pathlib.Path(sys.argv[1]), sys.argv[2]
for number in range(60):
    data, name = os.urandom(1000 + number * 1777), f"{number}.bin"
    if how == "by rename":
        with tempfile.NamedTemporaryFile(dir=root, delete=False) as file:
            file.write(data)
        os.rename(file.name, root / name)
    else:
        (root / name).write_bytes(data)
    print(name, hashlib.sha256(data).hexdigest(), flush=True)
"""
WORKER = """
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
for line in sys.stdin:
    name, digest = line.split()
    with open(root / name, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == digest, name
    if sys.argv[2] == "remove":
        (root / name).unlink()
    print(name)
"""


@pytest.mark.parametrize("how", ["new files", "by rename"])
@pytest.mark.parametrize("after", ["keep", "remove"])
def test_a_worker_on_another_host_opens_what_is_announced_to_it(place, how, after):
    """As soon as the producer's close has returned."""
    producer = start(sys.executable, "-c", PRODUCER, place.path, how)
    worker = start(sys.executable, "-c", WORKER, place.on_another_host(), after, stdin=producer.stdout)
    producer.stdout.close()
    assert len(finish(worker).splitlines()) == 60
    assert producer.wait(10) == 0, producer.stderr.read()
    producer.stderr.close()
    place.come_back()
    files = [name for _, _, found in os.walk(place.path) for name in found]
    assert len(files) == (60 if after == "keep" else 0)


def test_a_worker_on_another_host_opens_what_is_announced_in_a_new_directory(place):
    other = place.on_another_host()
    assert os.listdir(other) == []
    (place / "tenant" / "upload").mkdir(parents=True)
    (place / "tenant" / "upload" / "cv.pdf").write_bytes(b"content")
    assert run("cat", other / "tenant" / "upload" / "cv.pdf") == "content"


def test_workers_share_a_spool_directory(place):
    """Each takes a job by renaming it: one of them gets it. The queue is the directory itself."""
    (place / "new").mkdir()
    (place / "taken").mkdir()
    for number in range(40):
        (place / "new" / f"job{number}").write_text(f"{number}")
    worker = ("import os, sys\n"
              "for name in sorted(os.listdir('new')):\n"
              "    try: os.rename(f'new/{name}', f'taken/{name}.{sys.argv[1]}')\n"
              "    except FileNotFoundError: continue\n"
              "    print(open(f'taken/{name}.{sys.argv[1]}').read())\n")
    workers = [start(sys.executable, "-c", worker, number, cwd=place.path) for number in range(4)]
    done = [int(line) for each in workers for line in finish(each).split()]
    assert sorted(done) == list(range(40))
    place.come_back()
    assert os.listdir(place / "new") == [] and len(os.listdir(place / "taken")) == 40
