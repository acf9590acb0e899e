"""sweep plan on the paper's sweep: what it prints, and what it does not load."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def sweep(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from orchestrator.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_json_has_every_trial_and_the_totals(tmp_path: Path) -> None:
    made = sweep("plan", str(ROOT / "sweeps" / "paper.yaml"), "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    answer = json.loads(made.stdout)
    assert set(answer) == {"trials", "totals", "notes"}
    assert answer["totals"]["trials"] == len(answer["trials"]) == 51
    assert answer["totals"]["provisional"] is True
    assert {row["tokens"] for row in answer["trials"]} == {65_536_000_000}
    assert abs(sum(row["price"] for row in answer["trials"]) - answer["totals"]["price"]) < 1e-6


def test_a_wrong_cluster_is_refused(tmp_path: Path) -> None:
    made = sweep("plan", str(ROOT / "sweeps" / "paper.yaml"), "--simulate", "nodes=0", cwd=tmp_path)
    assert made.returncode == 2
    assert "--simulate: nodes is '0'; it is a whole number of at least 1" in made.stderr


def test_planning_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['sweep', 'plan', sys.argv[1]]\n"
        "from orchestrator.cli import guarded\n"
        "assert guarded() == 0\n"
        "heavy = {'torch', 'ray', 'deepspeed', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    path = str(ROOT / "sweeps" / "paper.yaml")
    made = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert made.returncode == 0, made.stderr
