"""What the quick commands load: seconds are the machine's, modules are ours. Measured in docs/log.md."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCIENCE = ("numpy", "scipy", "pandas", "pyarrow", "duckdb", "pydantic", "yaml", "rich", "matplotlib")
TRAINING = ("torch", "ray", "deepspeed", "tokenizers", "safetensors")


def loaded(arguments: list[str], within: Path) -> set[str]:
    """Top-level packages in memory when a command has done its work."""
    code = (
        "import sys\n"
        "from orchestrator.cli import guarded\n"
        "assert guarded() == 0\n"
        "print('loaded', *sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=within, check=False
    )
    assert done.returncode == 0, done.stderr
    names = next(line for line in done.stderr.splitlines() if line.startswith("loaded "))
    return set(names.split()[1:])


@pytest.mark.parametrize(
    ("arguments", "may"),
    [
        (["--help"], set()),
        (
            ["recommend", "--params", "7e9", "--law", "all"],
            {"numpy", "yaml", "rich", "pydantic"},
        ),  # pydantic: typer's own
        (["recommend", "--params", "7e9", "--json"], {"numpy", "yaml", "pydantic"}),
        (["plan", str(ROOT / "sweeps" / "paper.yaml")], {"pydantic", "yaml", "rich", "numpy"}),
    ],
    ids=["help", "recommend", "recommend --json", "plan"],
)
def test_quick_commands_load_little(arguments: list[str], may: set[str], tmp_path: Path) -> None:
    assert loaded(arguments, tmp_path) & {*SCIENCE, *TRAINING} <= may


def test_the_box_of_a_query_loads_no_more_than_it_asks_with(tmp_path: Path) -> None:
    """pyarrow.dataset alone would bring pandas; the record's own modules must not bring the specs' schema."""
    code = (
        "import atexit, io, json, runpy, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"request = {{'uri': {str(tmp_path)!r}, 'sql': 'select 1 as n', 'memory_mb': 500, 'allow_partial': False}}\n"
        "sys.stdin = io.StringIO(json.dumps(request))\n"
        "runpy.run_module('sweeps.box', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    modules = done.stderr.decode().split()
    assert "pyarrow.dataset" in modules
    assert not {"pandas", "pydantic", "scipy", "matplotlib"} & set(modules)
