"""What a user may write, and what they are told when it is wrong."""

from pathlib import Path

import pytest

from sweeps.loading import load_spec
from sweeps.safe_yaml import SpecError, scalar

GOOD = """\
name: good
model: {family: gpt, heads: 2, context: 32}
grid: {depths: [1, 2], sizes: [3e4, 6e4]}
data: {corpus: python-stdlib}
training: {tokens: 1e6, batch_tokens: 2048, learning_rate: 4e-3}
"""


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as error:
        load_spec(path)
    return str(error.value).replace(str(tmp_path) + "/", "")


def test_a_good_spec(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(GOOD)
    spec = load_spec(path)
    assert spec.training.tokens == [1_000_000]
    assert spec.grid[0].sizes == [3e4, 6e4]


@pytest.mark.parametrize("shipped", sorted((Path(__file__).parents[2] / "sweeps").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_specs_are_good(shipped: Path) -> None:
    assert load_spec(shipped).name == shipped.stem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("context: 32", "contxt: 32", "spec.yaml:2: model.contxt: there is no such key; did you mean 'context'?"),
        ("depths: [1, 2]", "depths: [1, 0]", "spec.yaml:3: grid.depths[1] is 0; it should be greater than or equal to 1"),
        ("1e6", "many", "spec.yaml:5: training.tokens is 'many'; it should be a valid integer, unable to parse string as an integer"),
        ("name: good", "name: ../good", "spec.yaml:1: name is '../good'; allowed are lower-case letters, digits, '.', '-' and '_', at most 63"),
        ("name: good", "name: gооd", "allowed are lower-case letters"),  # Cyrillic look-alikes
        ("name: good", "name: " + "x" * 300, "allowed are lower-case letters"),
        ("sizes: [3e4, 6e4]", "sizes: [3e4], widths: [8]", "spec.yaml:3: grid: say the shapes in exactly one way"),
        ("heads: 2,", "", "spec.yaml:2: model: give either heads (so many at every width) or head_width"),
        ("data: {corpus: python-stdlib}\n", "", "spec.yaml:1: data: is missing, and has no default"),
        ("learning_rate: 4e-3", "learning_rate: {sweep: [1e-3]}", "training.learning_rate.sweep; list should have at least 2 items"),
        ("learning_rate: 4e-3", "learning_rate: 4e-3, optimizer: {name: muon}", "training: with optimizer muon and zero: 1, gradient_clipping: 1 would clip Muon's updates, whose norm grows with the network"),
        ("learning_rate: 4e-3", "learning_rate: 4e-3, optimizer: {momentum: 0.9}", "training.optimizer: momentum is Muon's; say name: muon, or leave it out"),
        ("learning_rate: 4e-3", "learning_rate: .nan", "training.learning_rate is '.nan'; it should be a valid number"),
        ("name: good", "name: good\nname: bad", "spec.yaml:2: the key 'name' stands twice"),
        ("python-stdlib", "!!python/object/apply:os.system ['true']", "spec.yaml:4: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed"),
        ("name: good", "name: [good", "spec.yaml:2: not YAML:"),
        ("python-stdlib", "[" * 30 + "]" * 30, "spec.yaml:4: nested deeper than 20 levels"),
    ],
)  # fmt: skip
def test_faults_are_named_with_their_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in refused(tmp_path, GOOD.replace(old, new))


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = refused(tmp_path, GOOD.replace("context: 32", "contxt: 32").replace("1e6", "x"))
    assert len(text.splitlines()) == 2


def test_a_bomb_of_aliases_is_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert "its aliases unfold to more than 100,000 values" in refused(tmp_path, bomb)


def test_ten_megabytes_are_refused_unread(tmp_path: Path) -> None:
    assert "bytes; a spec has at most 1,048,576" in refused(tmp_path, "# " + "x" * 10_000_000)


def test_extending_lays_one_file_over_another(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(GOOD)
    path = tmp_path / "over.yaml"
    path.write_text("extends: base.yaml\nname: over\ntraining: {tokens: 5e5}\n")
    spec = load_spec(path)
    assert (spec.name, spec.training.tokens, spec.training.batch_tokens) == ("over", [500_000], 2048)


def test_a_fault_in_a_base_is_told_with_the_bases_line(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(GOOD.replace("context: 32", "contxt: 32"))
    assert "base.yaml:2: model.contxt" in refused(tmp_path, "extends: base.yaml\nname: over\n")


def test_a_circle_of_bases_is_refused(tmp_path: Path) -> None:
    assert "extends more than 5 files deep, or in a circle" in refused(tmp_path, "extends: spec.yaml\nname: x\n")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no such file"):
        load_spec(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e4", 3e4),
        ("1_000", 1000),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("0x10", "0x10"),
        ("1.5", 1.5),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value


@pytest.mark.parametrize(
    "secret", ["AKIAABCDEFGHIJKLMNOP", "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "s3://key:word@bucket/x", "sk-abcdefghijklmnopqrstuv"]
)  # fmt: skip
def test_a_secret_is_refused_and_not_repeated(tmp_path: Path, secret: str) -> None:
    told = refused(tmp_path, GOOD.replace("python-stdlib", f'"{secret}"'))
    assert told.startswith("spec.yaml:4: data.corpus: this looks like a secret, and a spec is recorded;")
    assert secret not in told
