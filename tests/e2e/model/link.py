"""The way of one host to S3, which can be cut: connections break off, and new ones are refused."""

import asyncio
import threading

from support.process import free_port

BLOCK = 1 << 18


class Link:
    def __init__(self, port):
        self._target, self.port = port, free_port()
        self._loop = asyncio.new_event_loop()
        self._server, self._writers = None, set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.heal()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def cut(self):
        self._run(self._close())

    def heal(self):
        self._run(self._open())

    def end(self):
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine):
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _open(self):
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=128)

    async def _close(self):
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0)

    async def _connected(self, reader, writer):
        self._writers.add(writer)
        other = None
        try:
            there, other = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(other)
            await asyncio.gather(self._copy(reader, other), self._copy(there, writer))
        except OSError:
            pass
        finally:
            for each in filter(None, (writer, other)):
                each.transport.abort()
                self._writers.discard(each)

    @staticmethod
    async def _copy(reader, writer):
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
