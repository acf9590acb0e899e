"""sweep report and sweep serve as a user types them."""

import json
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from orchestrator.cli import guarded
from orchestrator.serving import CALLERS, Board, Server
from sweeps.store import Store, open_store
from tests.analysis.report.records import WORLD, publish, shapes_of, train


def sweep(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["sweep", *arguments])
    return guarded()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A sweep of which three trials have ended and the others have not begun."""
    store = open_store(tmp_path / "results")
    publish(store, shapes=shapes_of(12), ends=dict.fromkeys(range(3, 60), ""))
    return store


def test_a_report_is_written_where_it_is_asked_for(store, tmp_path, monkeypatch, capsys):
    out = tmp_path / "new" / "r.html"
    assert sweep(monkeypatch, "report", "world", "--results", store.uri, "--out", str(out)) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out)
    assert "complete in itself" in said.err
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_by_default_it_is_named_after_the_sweep(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sweep(monkeypatch, "report", "world", "--results", store.uri) == 0
    assert (tmp_path / "world-report.html").exists()


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["nothing"], "there is no sweep 'nothing' in", 2),
        (["world", "--law", "levin2020"], "did you mean 'levine2020'?", 2),
        (["world", "--tokens", "5e9"], "no usable row has 5e+09 tokens; the budgets are 122880", 4),
        (["world", "--out", "."], "--out . is a folder; give the file to write", 2),
    ],
)
def test_mistakes_are_named(store, monkeypatch, capsys, words, said, code):
    assert sweep(monkeypatch, "report", *words, "--results", store.uri) == code
    assert said in capsys.readouterr().err


@pytest.fixture
def server(store: Store) -> Iterator[Server]:
    with Server(Board(store, "world", replicates=20), 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(server: Server, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def test_the_page_and_its_state(server):
    status, headers, page = ask(server)
    assert status == 200
    assert page.startswith(b"<!doctype html>")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    status, headers, state = ask(server, "/state")
    assert status == 200
    assert "Provisional" in json.loads(state)["body"]
    assert ask(server, "/state", If_None_Match=headers["ETag"])[0] == 304


def test_only_this_machine_by_its_own_names(server):
    port = server.server_port
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, Host=f"localhost:{port}")[0] == 200
    for name in (f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", ""):
        status, _, body = ask(server, Host=name)
        assert status == 403, name
        assert b"<html" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_only_get(server, method):
    status, headers, _ = ask(server, method=method)
    assert status == 405
    assert headers["Allow"] == "GET"


def test_nothing_else_is_there(server):
    assert ask(server, "/../etc/passwd")[0] == 404
    assert ask(server, "/plans")[0] == 404


def test_callers_are_bounded(server):
    idle = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(CALLERS)]
    time.sleep(0.3)
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(server.url, timeout=5)
    for one in idle:
        one.close()
    time.sleep(0.3)
    assert ask(server)[0] == 200


def test_news_arrive_from_the_record_alone(server, store):
    assert "Provisional: 3 of 40 trials have ended" in json.loads(ask(server, "/state")[2])["body"]
    train(store, f"{30:016x}", float(WORLD.loss(2.0, 2e4)), "completed")
    deadline = time.monotonic() + 30
    while "Provisional: 4 of 40 trials have ended" not in json.loads(ask(server, "/state")[2])["body"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_record_that_cannot_be_read_is_said_and_the_page_stays(server, store):
    ask(server, "/state")
    (Path(store.uri) / "plans" / f"world-{'b' * 12}.parquet").write_bytes(b"not parquet")
    deadline = time.monotonic() + 30
    while (answer := ask(server, "/state"))[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert answer[0] == 503
    assert b"is damaged" in answer[2]
    assert ask(server)[0] == 200


def test_a_port_that_is_taken_is_named(server, store, monkeypatch, capsys):
    port = str(server.server_port)
    assert sweep(monkeypatch, "serve", "world", "--results", store.uri, "--port", port) == 2
    assert f"--port {port} cannot be used" in capsys.readouterr().err
