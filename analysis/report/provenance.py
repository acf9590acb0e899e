"""Where the numbers come from: versions, hashes, hardware, and how to cite."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from analysis.report.reading import Reading
from analysis.report.wording import moment, size, span
from sweeps.rows import SCHEMA_VERSION


def facts(reading: Reading) -> tuple[tuple[str, str], ...]:
    """(what, value), in the order a reader asks for them."""
    seconds = [t["seconds"] for t in reading.trials if t["seconds"]]
    tokens = sum(t["step"] / t["last_step"] * t["tokens"] for t in reading.trials if t["step"] and t["last_step"])
    rows = [
        ("sweep and plan", f"{reading.sweep}@{reading.plan}"),
        ("planned", moment(reading.planned_at)),
        ("read", moment(reading.read_at)),
        ("corpus (SHA-256 of its tokens)", ", ".join(reading.corpora) or "–"),
        ("numerics version", ", ".join(map(str, reading.numerics)) or "–"),
        ("schema of the record", str(SCHEMA_VERSION)),
        ("trained", f"{size(tokens, 3)} tokens in {span(sum(seconds)) if seconds else '–'} of training steps"),
        ("analysed with", f"interplay {own_version()}, Python {sys.version.split()[0]}"),
    ]
    if reading.versions:
        rows.append(("planned with", _versions(reading.versions)))
    return tuple(rows)


def places(reading: Reading) -> tuple[tuple[str, str, str, str, str], ...]:
    """(device, host, workers × threads, attempts, versions) of each combination that trained something."""
    return tuple(
        (
            str(place["device"] or "–"),
            str(place["host"] or "–"),
            "–" if not place["workers"] else f"{place['workers']} × {place['threads'] or '–'}",
            str(place["attempts"]),
            _versions(place["versions"]),
        )
        for place in reading.places
    )


def own_version() -> str:
    """Of the installed distribution; what a source tree says where it is not installed."""
    try:
        return version("interplay")
    except PackageNotFoundError:
        return "from source"


def citation(reading: Reading) -> str:
    """BibTeX for this sweep's software, and for the paper whose law and experiment it repeats."""
    year = reading.planned_at.year
    return f"""@software{{interplay,
  title   = {{Interplay: scaling sweeps of depth and width}},
  version = {{{own_version()}}},
  year    = {{{year}}},
  note    = {{sweep {reading.sweep}, plan {reading.plan}}}
}}

@inproceedings{{levine2020limits,
  title     = {{Limits to Depth Efficiencies of Self-Attention}},
  author    = {{Levine, Yoav and Wies, Noam and Sharir, Or and Bata, Hofit and Shashua, Amnon}},
  booktitle = {{Advances in Neural Information Processing Systems}},
  volume    = {{33}},
  year      = {{2020}},
  note      = {{arXiv:2006.12467}}
}}"""


def _versions(versions: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(versions.items()))
