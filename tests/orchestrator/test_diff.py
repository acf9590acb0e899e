"""sweep diff: trials are shared where their identities are, and what makes others differ is named."""

import json
from pathlib import Path

import pytest

from orchestrator.cli import guarded
from sweeps.planning import plan
from sweeps.record import publish_plan
from sweeps.store import open_store
from tests.sweeps.specs import small

SPEC = """\
name: NAME
model: {family: gpt, tokenizer: bytes, heads: 2, context: 32}
grid: {depths: DEPTHS, widths: [8, 16]}
data: {corpus: python-stdlib}
training: {tokens: 6400, batch_tokens: 256, learning_rate: RATE, precision: fp32}
evaluation: {tokens: 1024, points: 1}
"""


def spec(folder: Path, name: str, depths: str, rate: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(SPEC.replace("NAME", name).replace("DEPTHS", depths).replace("RATE", rate))
    return str(path)


def diff(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> dict[str, object]:
    monkeypatch.setattr("sys.argv", ["sweep", "diff", *words, "--json"])
    assert guarded() == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_a_grown_grid_and_another_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = ["--results", str(tmp_path / "none")]
    a, grown = spec(tmp_path, "a", "[1, 2]", "1e-2"), spec(tmp_path, "grown", "[1, 2, 3]", "1e-2")
    found = diff(capsys, monkeypatch, a, grown, *results)
    assert (found["shared"], found["only_a"], found["only_b"], found["differences"]) == (4, 0, 2, {})
    assert "provisional" in str(found["notes"])
    hotter = spec(tmp_path, "hotter", "[2]", "2e-2")
    found = diff(capsys, monkeypatch, a, hotter, *results)
    assert (found["shared"], found["only_a"], found["only_b"]) == (0, 4, 2)
    assert found["differences"] == {"recipe.learning_rate": {"a": 0.01, "b": 0.02, "pairs": 2}}


def test_a_recorded_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    publish_plan(store, plan(small(), "c" * 64, {}), small().model_dump(mode="json"), {})
    found = diff(capsys, monkeypatch, "small", "small", "--results", str(tmp_path))
    assert (found["shared"], found["only_a"], found["only_b"], found["notes"]) == (4, 0, 0, [])
