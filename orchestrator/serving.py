"""A sweep's report on this machine's own address, from the record alone, kept up to date while somebody looks.

Two paths: `/`, the page, and `/state`, what is in it as JSON with an ETag, which the page asks for every few seconds.
Only this machine reaches it: it listens on 127.0.0.1, and a request whose Host is another name, as a rebound domain
in somebody's browser would send, is refused. It answers GET and nothing else, to a bounded number of callers at once,
and never writes.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from analysis.report.contents import Conclusions, conclude, contents, nothing_yet
from analysis.report.page import page, state
from analysis.report.reading import Reading, read
from sweeps.record import RecordError
from sweeps.safe_yaml import SpecError
from sweeps.store import Store, StoreError

CALLERS = 16
SECONDS_BETWEEN_READS = 2.0
# Fewer than the report's: a page that is about to change need not know the third digit of an interval.
REPLICATES = 200
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The page as it stands: both answers, and the tag by which a caller knows whether it has them."""

    page: bytes
    state: bytes
    tag: str


class Board:
    """The newest edition of a sweep's report. Read again at most every two seconds, and only when somebody asks.

    The first edition is there at once, before the losses are studied. Raises NoSuchSweep, RecordError, StoreError for
    the first reading; later ones leave their reason in `trouble`, and the edition as it was.
    """

    def __init__(self, store: Store, sweep: str, *, replicates: int = REPLICATES) -> None:
        self._store, self._sweep, self._replicates = store, sweep, replicates
        self._asked = threading.Event()
        self._seen: tuple[object, ...] = self._signature()
        self._studied: str | None = None
        self._conclusions: Conclusions = nothing_yet("The losses are being studied; this takes a moment.")
        self.trouble: str | None = None
        reading = read(store, sweep)
        self.edition = self._print(reading)
        threading.Thread(target=self._work, args=(reading,), daemon=True).start()

    def ask(self) -> Edition:
        """The edition there is; asking is what makes the board look for news."""
        self._asked.set()
        return self.edition

    def _work(self, reading: Reading) -> None:
        self._study(reading)
        while True:
            self._asked.wait()
            self._asked.clear()
            try:
                seen = self._signature()
                if seen != self._seen:
                    reading = read(self._store, self._sweep)
                    self.edition = self._print(reading)  # trials and curves first: they need no study
                    self._study(reading)
                    self._seen = seen
                self.trouble = None
            except (RecordError, StoreError, SpecError) as error:
                self.trouble = str(error)
            time.sleep(SECONDS_BETWEEN_READS)

    def _study(self, reading: Reading) -> None:
        """Draw conclusions anew where a loss has come in."""
        losses = reading.losses
        mark = hashlib.sha256(losses[losses["loss"].notna()].to_csv().encode()).hexdigest()
        if mark != self._studied:
            self._conclusions = conclude(losses, replicates=self._replicates)
            self._studied = mark
            self.edition = self._print(reading)

    def _print(self, reading: Reading) -> Edition:
        made = contents(reading, self._conclusions)
        answer = state(made)
        tag = f'"{hashlib.sha256(answer).hexdigest()[:32]}"'
        return Edition(page=page(made, live=tag).encode(), state=answer, tag=tag)

    def _signature(self) -> tuple[object, ...]:
        """Files of the record never change, so their names say whether there is news."""
        return tuple(tuple(self._store.names(folder)) for folder in ("plans", "attempts", "metrics", "compact"))


class Server(ThreadingHTTPServer):
    """At most CALLERS requests at once; a further one is hung up on. Raises OSError where the port is taken."""

    daemon_threads = True
    request_queue_size = CALLERS

    def __init__(self, board: Board, port: int) -> None:
        self._free = threading.BoundedSemaphore(CALLERS)
        super().__init__(("127.0.0.1", port), handler(board))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._free.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


def handler(board: Board) -> type[BaseHTTPRequestHandler]:
    """The class whose instances answer one request each."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds a caller may take over its request
        server_version, sys_version = "interplay", ""

        def do_GET(self) -> None:
            _, port = self.connection.getsockname()[:2]
            if self.headers.get_all("Host") not in [[f"{name}:{port}"] for name in ("127.0.0.1", "localhost")]:
                return self._say(403, "this page answers only to 127.0.0.1 and localhost")
            edition = board.ask()
            match self.path:
                case "/":
                    self._send(200, edition.page, "text/html; charset=utf-8")
                case "/state" if board.trouble:
                    self._say(503, f"the record cannot be read: {board.trouble}")
                case "/state" if self.headers.get("If-None-Match") == edition.tag:
                    self._send(304, b"", "application/json")
                case "/state":
                    self._send(200, edition.state, "application/json", {"ETag": edition.tag})
                case _:
                    self._say(404, "there are / and /state")
            return None

        def _refuse(self) -> None:
            self._send(405, b"only GET is answered", "text/plain; charset=utf-8", {"Allow": "GET"})

        do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse

        def _say(self, status: int, text: str) -> None:
            self._send(status, text.encode(), "text/plain; charset=utf-8")

        def _send(self, status: int, body: bytes, kind: str, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            headers = {"Content-Type": kind, "Content-Length": str(len(body))} | HEADERS | (more or {})
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if body and self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: a page that asks every two seconds would fill a terminal."""

    return Handler


def serve(board: Board, port: int | None, started: Callable[[str], None]) -> None:
    """Answer until interrupted. Without a port the usual one, or, where it is taken, any that is free.

    Raises SpecError where the port asked for is taken.
    """
    try:
        server = Server(board, 8642 if port is None else port)
    except (OSError, OverflowError) as error:
        if port is not None:
            raise SpecError(f"--port {port} cannot be used: {error}; give another, or leave it out") from error
        server = Server(board, 0)
    with server:
        started(server.url)
        server.serve_forever()
