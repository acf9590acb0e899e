"""Text to token ids: bytes as they are, a BPE trained on the corpus, or an existing tokenizer.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweeps.safe_yaml import SpecError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END = "<|endoftext|>"
TRAINING_BYTES = 1 << 28  # a BPE of any usual size has settled long before it has seen this much


def token_type(vocabulary: int) -> np.dtype[np.unsignedinteger]:
    """The narrowest type that holds every id."""
    return np.dtype(np.uint8 if vocabulary <= 1 << 8 else np.uint16 if vocabulary <= 1 << 16 else np.uint32)


def train_bpe(documents: Iterable[bytes], vocabulary: int) -> Tokenizer:
    """Byte-level BPE (as GPT-2's) of exactly `vocabulary` tokens, the end of text among them. Raises SpecError."""
    from tokenizers import Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    if vocabulary < 257:
        raise SpecError(f"model.vocabulary is {vocabulary}; a byte-level BPE needs 257 or more: 256 bytes and an end")
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Decoder()
    trainer = BpeTrainer(
        vocab_size=vocabulary, special_tokens=[END], initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(limited(documents, TRAINING_BYTES), trainer)
    if tokenizer.get_vocab_size() != vocabulary:
        raise SpecError(
            f"model.vocabulary is {vocabulary}, but this corpus only supports {tokenizer.get_vocab_size()} BPE tokens; "
            f"ask for that or fewer, or bring more text"
        )
    return tokenizer


def read_tokenizer(path: Path, vocabulary: int) -> Tokenizer:
    """An existing tokenizer.json. Raises SpecError where it is not one or has another vocabulary."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception
        raise SpecError(f"model.tokenizer: {path} is not a tokenizer.json: {error}") from error
    if tokenizer.get_vocab_size() != vocabulary:
        raise SpecError(
            f"model.vocabulary is {vocabulary}, but {path} has {tokenizer.get_vocab_size()} tokens; write that number"
        )
    return tokenizer


def encode(
    documents: Iterable[bytes], tokenizer: Tokenizer | None, vocabulary: int
) -> Iterator[NDArray[np.unsignedinteger]]:
    """Each document's ids and the end of text after it (byte 0 without a tokenizer: it is in no text)."""
    kind = token_type(vocabulary)
    if tokenizer is None:
        for document in documents:
            yield np.frombuffer(document + b"\0", dtype=np.uint8)
        return
    end = tokenizer.token_to_id(END)
    for many in batched(documents, 1 << 20):
        for encoding in tokenizer.encode_batch_fast([text.decode() for text in many], add_special_tokens=False):
            ids = encoding.ids if end is None else [*encoding.ids, end]
            yield np.asarray(ids, dtype=kind)


def batched(documents: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Documents in lists of about `size` bytes together."""
    held: list[bytes] = []
    total = 0
    for document in documents:
        held.append(document)
        total += len(document)
        if total >= size:
            yield held
            held, total = [], 0
    if held:
        yield held


def limited(documents: Iterable[bytes], size: int) -> Iterator[str]:
    """Documents as text until `size` bytes are reached."""
    total = 0
    for document in documents:
        yield document.decode()
        total += len(document)
        if total >= size:
            return
