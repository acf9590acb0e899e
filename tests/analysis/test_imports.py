"""What a guideline costs to start: nothing heavy, and never torch, ray or deepspeed."""

import subprocess
import sys

import pytest

HEAVY = ("pandas", "pyarrow", "matplotlib", "scipy", "duckdb", "pydantic")
NEVER = ("torch", "ray", "deepspeed")


def loaded(statement):
    """Which of HEAVY and NEVER are loaded after a statement, in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*[name for name in {HEAVY + NEVER!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_guideline_loads_nothing_heavy():
    statement = (
        "from analysis.guideline import recommend, published_sources\n"
        "from analysis.budget import Budget\n"
        "from analysis.known_models import compare, known_models\n"
        "for source in published_sources():\n"
        "    recommend(source, Budget(params=1e12))\n"
        "compare(known_models(), published_sources())\n"
    )
    assert loaded(statement) == []


@pytest.mark.parametrize("module", ["study", "figures.guideline", "gemstones", "coverage"])
def test_no_analysis_loads_torch_ray_or_deepspeed(module):
    assert not set(loaded(f"import analysis.{module}")) & set(NEVER)
