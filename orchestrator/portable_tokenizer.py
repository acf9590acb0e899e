"""The tokenizer a corpus was prepared with, as the files Hugging Face's AutoTokenizer reads.

Bytes, for which we need no tokenizer, become one of 256 tokens without merges. Byte 0 stands in no text and ends
one: it is the token <|endoftext|>.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchestrator.corpora.prepared import Prepared
from orchestrator.corpora.tokenizers import END, end_of_text
from sweeps.store import Store

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def tokenizer_of(store: Store, prepared: Prepared) -> Tokenizer | None:
    """The tokenizer of a prepared corpus; None where it came as token ids. Raises FileNotFoundError where its file is
    gone."""
    from tokenizers import Tokenizer

    if "tokenizer.json" not in prepared.files:
        return byte_tokenizer() if prepared.declared["tokenizer"] == "bytes" else None
    return Tokenizer.from_str(store.read(f"{prepared.folder()}/tokenizer.json").decode())


def byte_tokenizer() -> Tokenizer:
    """Token ids are the bytes of UTF-8."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    vocabulary = {visible(byte): byte for byte in range(1, 256)} | {END: 0}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token=END))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = Decoder()
    tokenizer.add_special_tokens([AddedToken(END, special=True, normalized=False)])
    return tokenizer


def visible(byte: int) -> str:
    """The character by which GPT-2's byte-level alphabet writes a byte: itself where it can be seen, else one from
    U+0100 on, in order."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    if byte in seen:
        return chr(byte)
    return chr(0x100 + [other for other in range(256) if other not in seen].index(byte))


def tokenizer_files(tokenizer: Tokenizer, context: int) -> tuple[dict[str, str], int | None]:
    """Files by name, and the id of the end of text, None where the tokenizer has no such token."""
    end = end_of_text(tokenizer)
    config: dict[str, object] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
    }
    if end is not None:
        config |= dict.fromkeys(("eos_token", "bos_token", "pad_token"), tokenizer.id_to_token(end))
    return {"tokenizer.json": tokenizer.to_str(), "tokenizer_config.json": json.dumps(config, indent=2)}, end
