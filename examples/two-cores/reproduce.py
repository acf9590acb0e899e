"""From the committed record to every number and figure of docs/two-cores.md: make reproduce.

python examples/two-cores/reproduce.py           numbers.json and report.html here, docs/two-cores.md and its figures
python examples/two-cores/reproduce.py --check   writes nothing; exit 1 where numbers or page would change
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from math import isclose
from pathlib import Path
from typing import Any

from findings import LAW, MAIN, TOKENS, numbers, studies
from page import page

from analysis.figures.losses import loss_figure
from analysis.figures.style import write
from analysis.figures.tokens import tokens_figure
from analysis.figures.transition import transition_figure
from analysis.report.contents import conclude, contents
from analysis.report.page import page as report_page
from analysis.report.reading import read
from analysis.study import Study
from sweeps.store import Store, open_store

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
RECORD = HERE / "record"
NUMBERS = HERE / "numbers.json"
PAGE = ROOT / "docs" / "two-cores.md"
FIGURES = ROOT / "docs" / "figures"
AGREEMENT = 1e-3  # relative; another machine's library sums in another order, and a fit ends a little elsewhere


def draw(main: dict[float, Study]) -> None:
    last = main[max(main)]
    write(loss_figure(last.cells, last.noise, last.crossings), FIGURES, "two-cores-losses")
    write(transition_figure(last.crossings, last.fits.get(LAW)), FIGURES, "two-cores-transition")
    by_tokens = {tokens: one.crossings for tokens, one in main.items()}
    write(tokens_figure(by_tokens, last.cells.counting), FIGURES, "two-cores-tokens")


def report(store: Store) -> str:
    """What `sweep report two-cores` writes."""
    reading = read(store, MAIN)
    return report_page(contents(reading, conclude(reading.losses, tokens=TOKENS, law=LAW)))


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """Places at which two JSON values differ, numbers by more than AGREEMENT."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            yield from differences(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, theirs, f"{where}[{place}]")
    elif isinstance(one, float | int) and isinstance(other, float | int):
        if not isclose(one, other, rel_tol=AGREEMENT):
            yield f"{where[1:]}: {one:g}, and the record says {other:g}"
    elif one != other:
        yield f"{where[1:]}: {one!r}, and the record says {other!r}"


def check(found: dict[str, Any]) -> int:
    """1 where the committed numbers are not the record's, or the page is not the numbers'; says which."""
    written = json.loads(NUMBERS.read_text(encoding="utf-8"))
    wrong = [f"{NUMBERS.name}: {place}" for place in differences(written, found)]
    if PAGE.read_text(encoding="utf-8") != page(written):
        wrong.append(f"{PAGE.name} is not what {NUMBERS.name} and page.md make")
    print("\n".join([*wrong, "make reproduce"] if wrong else ["numbers and page are the record's"]))
    return int(bool(wrong))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and say whether anything would change")
    checking = parser.parse_args().check
    store = open_store(RECORD)
    made = studies(store)
    found = json.loads(json.dumps(numbers(store, made)))
    if checking:
        return check(found)
    NUMBERS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
    (HERE / "report.html").write_text(report(store), encoding="utf-8")
    draw(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
