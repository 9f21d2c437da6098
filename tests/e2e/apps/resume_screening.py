"""Resume screening: an API that takes resumes one by one or as a ZIP, and workers on other hosts that parse them."""

import os
import pathlib
import shutil
import tempfile
import uuid
import zipfile

from fastapi import FastAPI, HTTPException, UploadFile
from fastapi.responses import FileResponse


def create_app(upload_dir):
    app = FastAPI()
    upload_dir = str(upload_dir)

    @app.post("/resumes")
    def upload(file: UploadFile):
        name = f"{uuid.uuid4()}_{file.filename}"
        with open(os.path.join(upload_dir, name), "wb") as target:
            shutil.copyfileobj(file.file, target)
        return {"file_path": name}

    @app.post("/bulk")
    def bulk(file: UploadFile):
        names = []
        with zipfile.ZipFile(file.file) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                name = f"{uuid.uuid4()}_{os.path.basename(member.filename)}"
                with archive.open(member) as source, open(os.path.join(upload_dir, name), "wb") as target:
                    shutil.copyfileobj(source, target)
                names.append(name)
        return {"file_paths": names}

    @app.get("/resumes/{name}")
    def download(name: str):
        path = os.path.join(upload_dir, name)
        if not os.path.exists(path):
            raise HTTPException(404)
        return FileResponse(path)

    @app.delete("/resumes/{name}")
    def delete(name: str):
        path = os.path.join(upload_dir, name)
        if os.path.exists(path):
            os.remove(path)
        return {"deleted": name}

    return app


def parse(upload_dir, name):
    """The worker: copies the file to a temporary place, and reads it there."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copy(os.path.join(upload_dir, name), scratch)
        return len(pathlib.Path(copy).read_bytes())
