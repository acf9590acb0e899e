"""sweep recommend, plan and figures: what they say beside the first answer."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.coverage import FEW
from analysis.worlds import VALLEYS, World
from orchestrator.cli import guarded

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sweep(monkeypatch, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sweep", *arguments])
        code = guarded()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_one_law_is_shown_with_the_spread_of_all(sweep) -> None:
    code, out, _ = sweep("recommend", "--params", "1e12")
    assert code == 0
    assert "Between laws: 95 layers (levine2020) to 1436 (gemstones-width-depth-tokens) at N = 1e+12" in out
    assert "N counts the blocks' weight matrices alone" in out
    assert "What another depth of the same N costs" in out
    assert "past the theory's threshold, log₃(d) = 9 layers" in out


def test_json_keeps_its_contract(sweep) -> None:
    code, out, _ = sweep("recommend", "--params", "1e12", "--law", "all", "--json")
    answer = json.loads(out)
    keys = {"law", "params", "depth", "width", "confidence", "interval", "shape", "extrapolation", "laws"}
    assert (code, keys <= set(answer)) == (0, True)
    assert answer["laws"][0]["law"] == answer["law"] == "levine2020"
    assert set(answer["shape"]) >= {"depth", "width", "params"}
    assert answer["interval"]["depth"][0] < 94.75 < answer["interval"]["depth"][1]
    assert answer["spread"]["depth"] == pytest.approx([94.7, 1435.7], abs=0.1)


def test_flops_and_tokens_fix_the_size(sweep) -> None:
    _, out, _ = sweep("recommend", "--flops", "6e20", "--tokens", "1e11", "--json")
    assert json.loads(out)["params"] == pytest.approx(1e9, rel=1e-3)


def test_practical_shapes_divide_among_devices(sweep) -> None:
    options = ("--multiple-of", "128", "--head-dim", "128", "--tensor-parallel", "8")
    _, out, _ = sweep("recommend", "--params", "7e9", *options, "--json")
    shape = json.loads(out)["shape"]
    assert shape["width"] % 1024 == 0
    assert 0 <= shape["penalty_nats"] < 0.01


def test_the_table_goes_from_a_million_to_a_trillion(sweep) -> None:
    code, out, _ = sweep("recommend", "--table", "--json")
    rows = json.loads(out)
    assert (code, [row["params"] for row in rows]) == (0, [10.0**n for n in range(6, 13)])
    assert {one["law"] for one in rows[0]["laws"]} >= {"levine2020", "inverse-depth2026"}
    assert "95 × 29,657" in sweep("recommend", "--table")[1]


def test_well_known_models_are_compared_with_each_law(sweep) -> None:
    _, out, _ = sweep("recommend", "--models", "--law", "levine2020", "--json")
    found = {row["name"]: row for row in json.loads(out)}
    assert found["GPT-3 Small"]["side"] == "shallow"
    assert found["GPT-3 175B"]["side"] == "deep"
    assert found["GPT-3 175B"]["best_depth"] == pytest.approx(80.46, abs=0.01)
    assert "Llama 3.1 405B" in sweep("recommend", "--models")[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--table", "--params", "1e9"), "--table has sizes of its own and goes without --params; leave one out"),
        (("--models", "--table"), "--table has sizes of its own and goes without --models"),
        ((), "a guideline needs a size: give --params, or --flops"),
        (("--params", "1e9", "--law", "chinchilla"), "has no depth in it"),
        (("--params", "1e9", "--law", "levine"), "there is no law 'levine'"),
    ],
)
def test_what_cannot_be_answered_is_refused(sweep, arguments, says) -> None:
    code, _, err = sweep("recommend", *arguments)
    assert code == 2
    assert says in err


def test_a_plan_says_on_which_side_each_network_lies(sweep, tmp_path) -> None:
    results = ("--results", str(tmp_path / "none"))
    _, out, _ = sweep("plan", str(ROOT / "sweeps" / "paper.yaml"), "--json", *results)
    trials = json.loads(out)["trials"]
    deepest = max(trials, key=lambda row: (row["depth"], row["width"]))
    assert (deepest["depth"], deepest["width"]) == (48, 1020)
    assert set(deepest["sides"].values()) == {"deep"}
    best = trials[0]["best_depth"]["levine2020"]
    assert best == pytest.approx(2.62, abs=0.01)
    assert trials[0]["sides"]["levine2020"] == "deep"
    assert trials[0]["sides"]["gemstones-width-depth-params-tokens"] == "shallow"
    assert (
        "shallow, of 51: 1 by theory, 18 by levine2020" in sweep("plan", str(ROOT / "sweeps/paper.yaml"), *results)[1]
    )


def test_a_sweep_is_drawn_as_vector_and_raster(sweep, tmp_path) -> None:
    rows = World(valley=VALLEYS["gemstones"]).table(FEW, [3] * len(FEW), np.random.default_rng(1))
    rows.to_csv(tmp_path / "world.csv")
    results = ("--results", str(tmp_path / "results"))
    maps = [
        part for name in ("depth", "width", "params", "tokens", "loss", "seed") for part in ("--map", f"{name}={name}")
    ]
    assert sweep("import", "table", str(tmp_path / "world.csv"), *maps, *results)[0] == 0
    code, out, _ = sweep("figures", "world", "--law", "levine2020", "--out", str(tmp_path / "f"), "--json", *results)
    assert code == 0
    written = json.loads(out)
    assert [row["figure"] for row in written] == ["losses", "transition", "valleys", "residuals", "guideline"]
    for row in written:
        assert Path(row["vector"]).read_text(encoding="utf-8").startswith("<?xml")
        assert Path(row["raster"]).read_bytes().startswith(b"\x89PNG")
