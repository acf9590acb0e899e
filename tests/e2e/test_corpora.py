"""Corpora and trackers as a user's shell meets them: refusals, a folder of one's own, and a tracker nobody answers."""

import socket
from pathlib import Path
from typing import Any

import pytest

from orchestrator.corpora.prepare import prepare
from sweeps.loading import load_spec
from sweeps.planning import plan
from sweeps.record import claim, publish_plan
from sweeps.store import open_store
from sweeps.views import connect
from tests.e2e.sweeping import ROOT, Leftovers, spec, sweep
from tests.orchestrator.corpora.texts import folder, text


def on(folder_of_spec: Path, corpus: str, model: str = "tokenizer: bytes", data: str = "", more: str = "") -> str:
    path = spec(folder_of_spec, old="{corpus: python-stdlib}", new=f"{{corpus: {corpus}, held_out: 0.2{data}}}{more}")
    path.write_text(path.read_text().replace("tokenizer: bytes", model))
    return str(path)


REFUSED: list[tuple[str, bytes, str, dict[str, Any], str]] = [
    ("x.txt", b"", "{files: x.txt}", {}, "x.txt is empty; remove it"),
    ("x.txt", b"\x7fELF\x02\x01\x01\0", "{files: x.txt}", {}, "x.txt is not text: there is a byte 0 at 7"),
    ("x.txt", b"caf\xe9", "{files: x.txt}", {}, "x.txt is not UTF-8: byte 0xe9 at 3; convert it"),
    ("x.jsonl", b'{"body": "x"}\n', "{files: x.jsonl}", {}, "there is no column 'text'; name the one that holds"),
    ("x.txt", b"", "{files: y.txt}", {}, "data.corpus.files: no file fits"),
    ("x.txt", text(1, 4000).encode(), "{files: x.txt, separator: brown}", {}, "the corpus has"),
]


@pytest.mark.parametrize(("name", "data", "corpus", "change", "message"), REFUSED)
def test_text_that_cannot_serve_is_refused(
    tmp_path: Path, name: str, data: bytes, corpus: str, change: dict[str, str], message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    corpus = corpus.replace("files: ", f"files: {tmp_path}/")
    done = sweep("run", on(tmp_path, corpus, **change), "--results", str(tmp_path / "r"))
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert not list((tmp_path / "r").glob("plans/*"))


def test_a_tokenizer_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    from orchestrator.corpora.tokenizers import train_bpe

    texts = folder(tmp_path / "texts")
    train_bpe([text(number).encode() for number in range(9)], 300).save(str(tmp_path / "tokenizer.json"))
    path = on(tmp_path, f'{{files: "{texts}/*.txt"}}', f"tokenizer: {tmp_path}/tokenizer.json, vocabulary: 512")
    done = sweep("run", path, "--results", str(tmp_path / "r"))
    assert done.returncode == 2
    assert "model.vocabulary is 512, but" in done.stderr
    assert "has 300 tokens; write that number" in done.stderr


def test_a_sweep_is_not_extended_on_other_text(tmp_path: Path) -> None:
    texts, store = folder(tmp_path / "texts"), open_store(tmp_path / "r")
    path = on(tmp_path, f'{{files: "{texts}/*.txt"}}', data=", repeat: true")
    asked = load_spec(Path(path))
    made = plan(asked, prepare(asked, store).content, {})
    publish_plan(store, made, asked.model_dump(mode="json"), {})
    claim(store, made.trials[0].trial.trial_id, 1, {"driver": "test"})
    (texts / "000.txt").write_text("something else")
    done = sweep("run", path, "--results", str(tmp_path / "r"))
    assert done.returncode == 2
    assert "tiny: data.corpus is not the text that 4 trials" in done.stderr or "1 trials of tiny@" in done.stderr
    assert "bring the old text back, or give this sweep another name" in done.stderr


def test_the_papers_corpus_plans_without_a_network_and_run_says_what_it_needs(tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="datasets is not installed")
    planned = sweep("plan", "sweeps/paper.yaml", "--json", "--results", str(tmp_path / "r"))
    assert planned.returncode == 0, planned.stderr
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    done = sweep("run", "sweeps/paper.yaml", "--results", str(tmp_path / "r"), **offline)
    assert done.returncode == 2, done.stderr
    assert "data.corpus.dataset: Skylion007/openwebtext cannot be read" in done.stderr
    assert "A machine without one can use what was prepared elsewhere" in done.stderr


def test_the_shipped_specs_name_corpora_that_are_there() -> None:
    from orchestrator.corpora.source import corpora_of

    for path in sorted((ROOT / "sweeps").glob("*.yaml")):
        corpora_of(load_spec(path).data.corpus)


def losses(results: Path) -> list[tuple[Any, ...]]:
    with connect(open_store(results)) as connection:
        return connection.execute("select trial_id, step, loss from metrics order by all").fetchall()


@pytest.mark.slow
def test_trackers_that_nobody_answers_leave_the_numbers_alone(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    left = Leftovers()
    texts = folder(tmp_path / "texts", files=120)
    corpus = f'{{files: "{texts}/*.txt"}}'
    plain = sweep("run", on(tmp_path, corpus, data=", repeat: true"), "--results", str(tmp_path / "plain"))
    assert plain.returncode == 0, plain.stderr
    with socket.socket() as silent:  # takes connections and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        more = f"\ntracking: {{tensorboard: {{}}, mlflow: {{uri: '{uri}'}}}}"
        path = on(tmp_path, corpus, data=", repeat: true", more=more)
        done = sweep("run", path, "--results", str(tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    assert "tracking.mlflow failed, and no trial was touched" in done.stderr
    assert "tracking.tensorboard" not in done.stderr
    assert losses(tmp_path / "r") == losses(tmp_path / "plain")
    assert len(list((tmp_path / "r" / "tracking" / "tensorboard" / "tiny").iterdir())) == 4
    left.assert_none()
