"""sweep init: whatever it is told, the spec it writes plans, says what it costs, and stays inside the budget."""

import itertools
from pathlib import Path

import pytest

from orchestrator.beginning import corpus_of, wish_of
from orchestrator.cli import guarded
from orchestrator.sketch import SPARE, sketch
from orchestrator.sketch_text import written
from sweeps.loading import load_spec
from sweeps.planning import plan
from sweeps.safe_yaml import SpecError

CPU = [("cpu", hours, price) for hours, price in ((0.25, None), (1.0, None), (30.0, None), (1.0, 0.02), (None, 0.5))]
GPU = [(device, hours, None) for device, hours in (("1xl4", 2.0), ("8xh100", 12.0), ("4x8xa100", 48.0))]
CORPORA = ("python-stdlib", "texts/*.txt", "Skylion007/openwebtext")


@pytest.mark.parametrize(("devices", "hours", "price"), CPU + GPU)
def test_what_it_writes_plans_inside_the_budget(
    tmp_path: Path, devices: str, hours: float | None, price: float | None
) -> None:
    for corpus in CORPORA if devices == "cpu" else CORPORA[:1]:
        wish = wish_of("mine", hours=hours, price=price, devices=devices, corpus=corpus)
        made = sketch(wish)
        assert hours is None or made.hours <= SPARE * hours
        assert price is None or made.price <= SPARE * price
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.yaml"
        path.write_text(written(wish, made))
        read = load_spec(path)
        assert read == type(read).model_validate(made.spec)
        trials = plan(read, None, {}).trials
        assert len(trials) == made.trials >= 16
        depths = {planned.trial.shape.depth for planned in trials}
        assert len(depths) >= 3
        assert max(len(line) for line in path.read_text().splitlines()) <= 120


def test_more_budget_asks_for_larger_networks() -> None:
    def largest(hours: float, devices: str) -> float:
        wish = wish_of("mine", hours=hours, price=None, devices=devices, corpus=None)
        return max(sketch(wish).spec["grid"][0]["sizes"])

    sizes = [largest(hours, "8xh100") for hours in (0.5, 5, 50)]
    assert all(small < large for small, large in itertools.pairwise(sizes))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"hours": 0.001}, "the smallest sweep worth running (16 networks of up to 1.6e+05 parameters) takes about"),
        ({"devices": "8 x h100"}, "--devices 8 x h100: say cpu, or such as 8xh100 (one node), or 4x8xh100 (four nodes)"),
        ({"devices": "8xh10"}, "there is no kind of device 'h10'; did you mean 'h100'?"),
        ({"hours": -1.0}, "--hours -1: it is a number above 0"),
        ({"corpus": "no such file.txt"}, "--corpus no such file.txt: no such file is here, and it is no data set's OWNER/NAME"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(words: dict[str, object], message: str) -> None:
    said = {"hours": 1.0, "price": None, "devices": None, "corpus": None} | words
    with pytest.raises(SpecError) as refused:
        sketch(wish_of("mine", **said))  # type: ignore[arg-type]
    assert message in str(refused.value)


def test_a_corpus_is_named_as_people_name_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    assert corpus_of(str(tmp_path)) == {"files": f"{tmp_path}/**/*.txt"}
    assert corpus_of(str(tmp_path / "a.txt")) == {"files": str(tmp_path / "a.txt")}
    assert corpus_of("Skylion007/openwebtext") == {
        "dataset": "Skylion007/openwebtext",
        "split": "train",
        "text": "text",
    }


def test_the_command_writes_once_and_asks_nothing_without_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["sweep", "init", "mine.yaml", "--hours", "1"])
    assert guarded() == 0
    assert "next: sweep plan mine.yaml" in capsys.readouterr().err
    before = Path("mine.yaml").read_text()
    assert guarded() == 2
    assert "mine.yaml exists already and is left as it is; name another file" in capsys.readouterr().err
    assert Path("mine.yaml").read_text() == before


def test_it_asks_for_what_was_not_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from orchestrator.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("orchestrator.commands.init.is_asked", lambda: True)
    answered = CliRunner().invoke(app, ["init"], input="8xl4\n2\n\n", standalone_mode=False)
    assert answered.exit_code == 0, answered.output
    made = load_spec(tmp_path / "mine.yaml")
    assert (made.cluster.device, made.cluster.gpus, made.data.corpus) == ("l4", 8, "python-stdlib")
