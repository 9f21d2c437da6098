"""Multi-tenant CV processing: the storage adapter of a hexagonal back end."""

import os
import shutil


class LocalStorage:
    def __init__(self, root):
        self._root = str(root)

    def _directory(self, tenant_id, upload_id):
        return os.path.join(self._root, tenant_id, upload_id)

    def save(self, tenant_id, upload_id, filename, content):
        directory = self._directory(tenant_id, upload_id)
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, filename), "wb") as file:
            file.write(content)

    def retrieve(self, tenant_id, upload_id):
        directory = self._directory(tenant_id, upload_id)
        names = os.listdir(directory) if os.path.isdir(directory) else []
        if not names:
            raise KeyError(upload_id)
        with open(os.path.join(directory, names[0]), "rb") as file:
            return names[0], file.read()

    def exists(self, tenant_id, upload_id):
        directory = self._directory(tenant_id, upload_id)
        return os.path.isdir(directory) and bool(os.listdir(directory))

    def delete(self, tenant_id, upload_id):
        directory = self._directory(tenant_id, upload_id)
        if os.path.exists(directory):
            shutil.rmtree(directory)
