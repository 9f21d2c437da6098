"""A proxy that notes which hosts are wanted and leads nowhere: what a program asks AWS, without AWS."""

from .http_service import HttpService, QuietHandler


class RefusingProxy(HttpService):
    def __init__(self):
        self.wanted = wanted = []

        class Handler(QuietHandler):
            def do_CONNECT(self):
                wanted.append(self.path)
                self.send_error(502)

        super().__init__(Handler)
