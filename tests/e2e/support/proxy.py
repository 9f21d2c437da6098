"""A proxy that notes which hosts are wanted and leads nowhere: what a program asks AWS, without AWS."""

import http.server
import threading


class RefusingProxy:
    def __init__(self):
        self.wanted = wanted = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self):
                wanted.append(self.path)
                self.send_error(502)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
