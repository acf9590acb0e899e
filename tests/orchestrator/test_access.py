"""Who may talk to a run's cluster."""

import socket
from pathlib import Path

import pytest

from orchestrator.access import guard, here
from sweeps.safe_yaml import SpecError


def test_a_cluster_of_ours_has_a_token_of_its_own() -> None:
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    guard(None, first)
    guard(None, second)
    assert first["RAY_AUTH_MODE"] == "token"
    assert len(first["RAY_AUTH_TOKEN"]) == 64
    assert first["RAY_AUTH_TOKEN"] != second["RAY_AUTH_TOKEN"]


def test_a_token_that_is_there_is_kept() -> None:
    environment = {"RAY_AUTH_TOKEN_PATH": "/somewhere"}
    guard(None, environment)
    assert environment == {"RAY_AUTH_TOKEN_PATH": "/somewhere", "RAY_AUTH_MODE": "token"}


def test_no_cluster_of_ours_is_open() -> None:
    with pytest.raises(SpecError, match="RAY_AUTH_MODE=disabled would let everybody"):
        guard(None, {"RAY_AUTH_MODE": "disabled"})


def test_another_machines_cluster_is_not_joined_without_a_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    with pytest.raises(SpecError, match=r"192\.0\.2\.1:6379 would be joined without a token"):
        guard("192.0.2.1:6379", {})
    with pytest.raises(SpecError, match="unset RAY_AUTH_MODE=disabled"):
        guard("192.0.2.1:6379", {"RAY_AUTH_MODE": "disabled", "RAY_AUTH_TOKEN": "x"})
    environment = {"RAY_AUTH_TOKEN": "x"}
    guard("192.0.2.1:6379", environment)
    assert environment["RAY_AUTH_MODE"] == "token"


def test_an_open_cluster_of_this_machine_is_joined_as_it_is() -> None:
    """With a token that it does not know, every actor's owner would look dead to it, and every attempt be lost."""
    environment = {"RAY_AUTH_TOKEN": "x"}
    guard("127.0.0.1:6379", environment, is_open=lambda address: True)
    assert environment["RAY_AUTH_MODE"] == "disabled"
    guarded = {"RAY_AUTH_TOKEN": "x"}
    guard("127.0.0.1:6379", guarded, is_open=lambda address: False)
    assert guarded["RAY_AUTH_MODE"] == "token"


def test_what_is_this_machine() -> None:
    assert here("auto")
    assert here("127.0.0.1:6379")
    assert here(f"{socket.gethostbyname(socket.gethostname())}:6379")
    assert not here("192.0.2.1:6379")
