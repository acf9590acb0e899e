"""Text to token ids: bytes as they are, a BPE trained on the corpus, or an existing tokenizer.json."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweeps.safe_yaml import SpecError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END = "<|endoftext|>"
ENDS = (END, "<|end_of_text|>", "</s>", "<eos>")  # GPT-2 and most others; Llama 3; Llama 2 and Mistral; Gemma
TRAINING_BYTES = 1 << 27  # a BPE of any usual size has settled long before it has seen this much

Ids = NDArray[np.unsignedinteger]


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
    tokenizer.train_from_iterator((document.decode() for document in documents), trainer)
    if tokenizer.get_vocab_size() != vocabulary:
        raise SpecError(
            f"model.vocabulary is {vocabulary}, but this corpus only supports {tokenizer.get_vocab_size()} BPE tokens; "
            f"ask for that or fewer, or bring more text"
        )
    return tokenizer


def read_tokenizer(path: Path, vocabulary: int) -> Tokenizer:
    """An existing tokenizer.json. Raises SpecError where it is not one or has another vocabulary."""
    from tokenizers import Tokenizer

    if not path.is_file():
        raise SpecError(f"model.tokenizer: there is no file {path}; write bytes, bpe, or the path of a tokenizer.json")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception
        raise SpecError(f"model.tokenizer: {path} is not a tokenizer.json: {error}") from error
    ids = tokenizer.get_vocab(with_added_tokens=True).values()
    needed = max(ids, default=-1) + 1
    if needed != vocabulary:
        raise SpecError(f"model.vocabulary is {vocabulary}, but {path} has {needed} tokens; write that number")
    return tokenizer


def end_of_text(tokenizer: Tokenizer) -> int | None:
    """Id of the token that stands after each document; None where the tokenizer has none of the usual ones."""
    return next((i for i in map(tokenizer.token_to_id, ENDS) if i is not None), None)
