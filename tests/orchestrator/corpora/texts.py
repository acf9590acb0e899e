"""Small corpora to prepare in tests."""

import json
import random
from pathlib import Path
from typing import Any

from orchestrator.corpora.source import corpora_of
from sweeps.spec import Spec
from tests.sweeps.specs import small

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "déjà", "vu", "…", "東京"]


def text(seed: int, words: int = 400) -> str:
    chosen = random.Random(seed).choices(WORDS, k=words)
    return " ".join(chosen) + f"\nnumber {seed}\n"


def folder(path: Path, files: int = 40, words: int = 400) -> Path:
    """A folder of text files."""
    path.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        (path / f"{number:03d}.txt").write_text(text(number, words), encoding="utf-8")
    return path


def jsonl(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def asking(corpus: Any, held_out: float = 0.2, **model: Any) -> Spec:
    """A spec on a corpus."""
    return small(data={"corpus": corpus, "held_out": held_out, "repeat": True}, model=model)


def documents(corpus: Any) -> list[Any]:
    """All documents of what a spec may write under data.corpus."""
    return [document for one in corpora_of(corpus) for document in one.documents()]
