"""From the committed record to every number and figure of docs/two-cores.md: make reproduce.

python examples/two-cores/reproduce.py           numbers.json and report.html here, docs/two-cores.md and its figures
python examples/two-cores/reproduce.py --check   writes nothing; exit 1 where numbers or page would change
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from findings import LAW, MAIN, TOKENS, VOCABULARY, numbers, studies
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
FIGURES = ROOT / "docs" / "figures"


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and say whether anything would change")
    check = parser.parse_args().check
    store = open_store(RECORD)
    made = studies(store, MAIN)
    found = json.loads(json.dumps(numbers(store, made, studies(store, VOCABULARY))))
    texts = {HERE / "numbers.json": json.dumps(found, indent=1) + "\n", ROOT / "docs" / "two-cores.md": page(found)}
    if check:
        changed = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
        for path in changed:
            print(f"{path.relative_to(ROOT)} is not what the record says: make reproduce")
        return int(bool(changed))
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    (HERE / "report.html").write_text(report(store), encoding="utf-8")
    draw(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
