"""What every test starts with."""

import os
from collections.abc import Iterator

import pytest

TOKEN = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@pytest.fixture(autouse=True)
def no_token_of_another_test() -> Iterator[None]:
    """A run in this process leaves its cluster's token in the environment (orchestrator/access.py), where Ray, which
    reads how it authenticates once, would find it for the next test's cluster."""
    before = {name: os.environ.get(name) for name in TOKEN}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
