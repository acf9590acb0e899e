"""The schema that editors read: current, true of every shipped spec, and as strict as the real thing on keys."""

import json
from pathlib import Path

import jsonschema
import pytest

from sweeps.loading import extended, load_spec
from sweeps.schema import spec_schema
from sweeps.spec import Spec

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "sweeps").glob("*.yaml"))


def keys_as_words(value: object) -> object:
    """A mapping as JSON has it."""
    return json.loads(json.dumps(value))


def test_the_committed_schema_is_what_the_command_prints() -> None:
    committed = json.loads((ROOT / "sweeps" / "schema.json").read_text())
    assert committed == keys_as_words(spec_schema()), "run: sweep schema > sweeps/schema.json"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_spec_names_the_schema_and_is_valid_by_it(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")
    jsonschema.validate(keys_as_words(extended(path).data), spec_schema())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("model", "haeds"), 2),
        (("training", "zero"), 4),
        (("training", "precision"), "fp16"),
        (("training", "tokens"), "many"),
        (("grid", "depths"), [0]),
        (("nmae",), "x"),
    ],
)
def test_mistakes_are_seen_by_an_editor(place: tuple[str, ...], value: object) -> None:
    data = extended(ROOT / "sweeps" / "quickstart.yaml").data
    data["grid"] = {"depths": [1, 2], "widths": [8, 16]}
    jsonschema.validate(keys_as_words(data), spec_schema())
    inside = data
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(keys_as_words(data), spec_schema())


def test_every_field_says_what_it_is() -> None:
    silent = [
        f"{name}.{field}"
        for name, model in spec_schema()["$defs"].items()
        for field, facts in model["properties"].items()
        if "description" not in facts and "const" not in facts and "enum" not in facts
    ]
    assert set(silent) <= {"Optimizer.name", "Training.optimizer", "Training.schedule"}, silent


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_spec_written_out_is_the_same_spec(path: Path) -> None:
    asked = load_spec(path)
    assert Spec.model_validate(asked.model_dump()) == asked
    assert Spec.model_validate_json(asked.model_dump_json()) == asked
