"""Documents to token ids.

The library splits a text into words, and each word into tokens, at two to three megabytes a second and core. Most
words come again and again, so here each distinct one is given to the library once (docs/log.md has the figures).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.corpora.documents import pieces
from orchestrator.corpora.tokenizers import Ids, end_of_text, token_type

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PIECE_BYTES = 1 << 18  # of a document at a time: the library needs some 50 bytes for each byte of text
KEPT_WORDS = 200_000  # of which a process knows the ids, about 40 MB

# GPT-2's pattern, whose matches are encoded each by itself. Letters and digits beyond ASCII are Unicode's to tell, so
# text that has others is cut at its white space only, where no match goes on; and text with white space beyond these
# four is left to the library.
ASCII_WORD = re.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^ \t\n\rA-Za-z0-9]+|[ \t\n\r]+(?![^ \t\n\r])|[ \t\n\r]+"
)
ANY_WORD = re.compile(r" ?[^ \t\n\r]+|[ \t\n\r]+(?![^ \t\n\r])|[\t\n\r]")
DOUBTFUL = re.compile(r"[^\S \t\n\r]")


def encoder(tokenizer: str | None, vocabulary: int) -> Callable[[Sequence[bytes]], list[Ids]]:
    """A function from documents to each one's ids and the end of text after it (byte 0 without a tokenizer).

    tokenizer   JSON of a tokenizer; None: bytes
    """
    if tokenizer is None:
        return lambda documents: [np.frombuffer(document + b"\0", dtype=np.uint8) for document in documents]
    from tokenizers import Tokenizer

    kind, made = token_type(vocabulary), Tokenizer.from_str(tokenizer)
    made.no_truncation()
    made.no_padding()
    made.encode_special_tokens = True  # in a text, the name of a special token is text
    end = end_of_text(made)
    ending = b"" if end is None else np.asarray([end], dtype=kind).tobytes()
    encode = Words(made, kind) if splits_at_white_space(tokenizer) else Texts(made, kind)

    def encoded(documents: Sequence[bytes]) -> list[Ids]:
        return [
            np.frombuffer(b"".join([*map(encode, pieces_of(document)), ending]), dtype=kind) for document in documents
        ]

    return encoded


class Texts:
    """The library's own encoding of a text, as bytes of its ids."""

    def __init__(self, tokenizer: Tokenizer, kind: np.dtype[np.unsignedinteger]) -> None:
        self.tokenizer, self.kind = tokenizer, kind

    def __call__(self, text: str) -> bytes:
        return self.many([text])[0]

    def many(self, texts: Sequence[str]) -> list[bytes]:
        made = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [np.asarray(one.ids, dtype=self.kind).tobytes() for one in made]


class Words(Texts):
    """The same ids, word by word, from memory where the word was seen before."""

    def __init__(self, tokenizer: Tokenizer, kind: np.dtype[np.unsignedinteger]) -> None:
        super().__init__(tokenizer, kind)
        self.known: dict[str, bytes] = {}

    def __call__(self, text: str) -> bytes:
        if DOUBTFUL.search(text):
            return super().__call__(text)
        words = (ASCII_WORD if text.isascii() else ANY_WORD).findall(text)
        new = list(set(words).difference(self.known))
        if len(self.known) + len(new) > KEPT_WORDS:
            self.known.clear()
            new = list(set(words))
        self.known.update(zip(new, self.many(new), strict=True))
        return b"".join(map(self.known.__getitem__, words))


def splits_at_white_space(tokenizer: str) -> bool:
    """Whether words are encoded one by one, whatever stands beside them, as GPT-2 cuts them: so it is with its way of
    splitting, no normaliser, and no tokens of the user's own."""
    parts = json.loads(tokenizer)
    before = parts.get("pre_tokenizer") or {}
    return (
        parts.get("normalizer") is None
        and before.get("type") == "ByteLevel"
        and before.get("use_regex", True)
        and not before.get("add_prefix_space", True)
        and all(token["special"] for token in parts.get("added_tokens", []))
    )


def pieces_of(document: bytes) -> Iterator[str]:
    """A document as text in pieces that the library can take, cut at ends of lines: nothing of it is left out."""
    return (piece.decode() for piece in pieces(document, PIECE_BYTES, blank=True))
