"""A self-signed certificate, and https in front of an http server: threads that pass bytes on."""

import socket
import ssl
import subprocess
import threading

from . import machine


class Certificate:
    """Files `path` and `key`; good for this machine's loopback address."""

    def __init__(self, directory):
        machine.require_program("openssl")
        directory.mkdir(parents=True, exist_ok=True)
        self.path, self.key = directory / "certificate.pem", directory / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.key, "-out", self.path], check=True, capture_output=True)


class TlsFront:
    def __init__(self, directory, port):
        self.certificate = Certificate(directory)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate.path, self.certificate.key)
        self._behind = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.endpoint = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with (self._context.wrap_socket(client, server_side=True) as outside,
                  socket.create_connection(("127.0.0.1", self._behind)) as inside):
                back = threading.Thread(target=self._pass, args=(inside, outside), daemon=True)
                back.start()
                self._pass(outside, inside)
                back.join()
        except OSError:
            pass

    @staticmethod
    def _pass(source, target):
        try:
            while block := source.recv(65536):
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self._listener.close()
