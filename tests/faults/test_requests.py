"""What a user, or someone who means harm, may ask for: refused with 2, nothing started, nothing written."""

from pathlib import Path

import pytest

from sweeps.store import open_store
from tests.e2e.sweeping import sweep
from tests.faults.invariants import counted, spec
from tests.sweeps.records import planned_record

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))

YAML = {
    "bomb of aliases": (BOMB, "its aliases unfold to more than 100,000 values"),
    "Python tag": ("name: !!python/object/apply:os.system ['touch canary']\n", "is not allowed; a spec is plain data"),
    "duplicate keys": ("name: a\nname: b\n", "the key 'name' stands twice"),
    "10 MB of YAML": ("# " + "x" * 10_000_000, "a spec has at most 1,048,576"),
    "a hundred levels": ("name: " + "[" * 100 + "]" * 100, "nested deeper than 20 levels"),
    "anchors to itself": ("a: &a [*a]\n", "its aliases unfold to more than"),
}

NAMES = {
    "../../x": "'../../x'",
    "/etc/x": "'/etc/x'",
    '"a\\0b"': "allowed are lower-case letters",
    "x" * 300: "allowed are lower-case letters",
    "tinу": "allowed are lower-case letters",  # a Cyrillic у
}

SQL = {
    "COPY TO": "copy (select 1) to '{outside}'",
    "ATTACH": "attach '{outside}' as x",
    "INSTALL": "install httpfs",
    "read_text": "select * from read_text('/etc/passwd')",
    "SET": "set memory_limit = '1TB'",
    "two statements": "select 1; select 2",
    "an endless range": "select count(*) from range(100000000000000) a, range(1000) b where a.range * b.range % 7 = 3",
    "a string of gigabytes": "select length(repeat('x', 3000000000)) + length(repeat('y', 3000000000))",
}


@pytest.mark.parametrize("what", YAML)
def test_yaml(tmp_path: Path, what: str) -> None:
    with counted(f"YAML: {what}"):
        text, message = YAML[what]
        (tmp_path / "spec.yaml").write_text(text)
        done = sweep("run", str(tmp_path / "spec.yaml"), "--results", str(tmp_path / "r"), timeout=60)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr[:500]
        assert not (tmp_path / "r").exists()
        assert not Path("canary").exists()


@pytest.mark.parametrize("name", NAMES, ids=["up", "absolute", "NUL", "300", "look-alike"])
def test_names(tmp_path: Path, name: str) -> None:
    with counted(f"name: {name[:20]!r}"):
        path = spec(tmp_path).read_text().replace("name: tiny", f"name: {name}")
        (tmp_path / "spec.yaml").write_text(path)
        done = sweep("run", str(tmp_path / "spec.yaml"), "--results", str(tmp_path / "r"), timeout=60)
        assert (done.returncode, NAMES[name] in done.stderr) == (2, True), done.stderr[:500]
        assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("what", SQL)
def test_sql(tmp_path: Path, what: str) -> None:
    with counted(f"SQL: {what}"):
        planned_record(open_store(tmp_path / "r"))
        outside = tmp_path / "outside"
        asked = SQL[what].format(outside=outside)
        limits = ["--seconds", "5", "--memory-mb", "500"]
        done = sweep("query", asked, "--results", str(tmp_path / "r"), *limits, timeout=60)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert not outside.exists()
