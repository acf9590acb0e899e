"""Held-out loss and its error over documents, for all text and for each corpus of several."""

from pathlib import Path

import numpy as np
import pytest

from orchestrator.corpora.tokens import open_tokens
from orchestrator.held_out import held_out, ratio
from sweeps.store import open_store
from sweeps.views import connect
from tests.orchestrator.corpora.texts import folder
from tests.orchestrator.gangs import planned, run_gang
from tests.sweeps.specs import small


def test_the_error_is_that_of_a_ratio_over_documents() -> None:
    """Against the spread of the loss over many draws of documents."""
    rng = np.random.default_rng(0)

    def drawn() -> tuple[float, float]:
        tokens = rng.integers(10, 200, 60).astype(float)
        loss, error = ratio(tokens * rng.normal(3, 0.4, 60), tokens)
        assert error is not None
        return loss, error

    losses, errors = np.array([drawn() for _ in range(3000)]).T
    assert losses.mean() == pytest.approx(3, abs=0.005)
    assert errors.mean() == pytest.approx(losses.std(), rel=0.05)


def test_documents_without_tokens_do_not_count_and_one_has_no_error() -> None:
    nats, tokens = np.array([6.0, 0.0, 4.0]), np.array([2.0, 0.0, 1.0])
    assert ratio(nats, tokens) == ratio(nats[[0, 2]], tokens[[0, 2]])
    assert ratio(nats[:2], tokens[:2]) == (3.0, None)


def test_each_corpus_has_its_own() -> None:
    nats, tokens = np.array([2.0, 3.0, 8.0, 10.0]), np.array([1.0, 1.0, 2.0, 2.0])
    made = held_out(nats, tokens, np.array([0, 0, 1, 2], dtype=np.uint8))
    assert made.loss == 23 / 6
    assert made.corpora[0] == ratio(nats[:2], tokens[:2])
    assert (made.corpora[1], made.corpora[2]) == ((4.0, None), (5.0, None))
    names = ["eval_loss/0", "eval_loss_se/0", "eval_loss/1", "eval_loss/2"]
    assert [name for name, _ in made.extra()] == names
    assert held_out(nats, tokens, None).extra() == []


def test_a_sweep_on_two_corpora_records_both(tmp_path: Path) -> None:
    prose, other = folder(tmp_path / "prose"), folder(tmp_path / "other", words=300)
    for path in other.iterdir():
        path.write_text(path.read_text()[::-1])
    corpora = [{"files": f"{prose}/*.txt"}, {"files": f"{other}/*.txt"}]
    spec = small(
        grid={"depths": [1], "widths": [16]},
        data={"corpus": corpora, "held_out": 0.2, "repeat": True},
        training={"tokens": 2560},
        evaluation={"tokens": 1 << 20},
    )
    store = open_store(tmp_path / "r")
    trial = planned(spec, store).trials[0].trial
    assert run_gang(store, trial, 1) == [0]
    with connect(store) as connection:
        sql = "select eval_loss, eval_loss_se, extra from metrics where eval_loss is not null"
        ((loss, error, extra),) = connection.execute(sql).fetchall()
    said = dict(extra)
    assert set(said) == {"eval_loss/0", "eval_loss_se/0", "eval_loss/1", "eval_loss_se/1"}
    assert 0 < error < 1
    tokens = open_tokens(store, trial.corpus)
    assert tokens.held_out_corpora is not None
    lengths = np.diff(tokens.held_out_ends, prepend=0)
    shares = [lengths[tokens.held_out_corpora == place].sum() / lengths.sum() for place in (0, 1)]
    assert loss == pytest.approx(sum(s * said[f"eval_loss/{n}"] for n, s in enumerate(shares)), abs=0.02)
