"""Where the box (sweeps/boxed.py) is entered: without pandas, which pyarrow.dataset would load only to ask whether a
value is one of its own, and which takes longer than all the rest together (docs/log.md)."""

from __future__ import annotations

import sys


class NoPandas:
    """Makes pandas absent."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("the box has no pandas", name=name)


if __name__ == "__main__":
    sys.meta_path.insert(0, NoPandas)
    from sweeps.boxed import main

    sys.exit(main())
