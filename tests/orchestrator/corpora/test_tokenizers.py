"""Tokenizers: what they give back, what stands between documents, and what is refused."""

import random
from pathlib import Path

import numpy as np
import pytest

from orchestrator.corpora.encoding import encoder, splits_at_white_space
from orchestrator.corpora.tokenizers import END, read_tokenizer, token_type, train_bpe
from sweeps.safe_yaml import SpecError
from tests.orchestrator.corpora.texts import text

TEXTS = [text(number).encode() for number in range(20)]


@pytest.fixture(scope="module")
def bpe() -> str:
    return str(train_bpe(TEXTS, 300).to_str())


def test_a_trained_bpe_gives_the_text_back_and_ends_each_document(bpe: str) -> None:
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(bpe)
    end = made.token_to_id(END)
    for document, ids in zip(TEXTS, encoder(bpe, 300)(TEXTS), strict=True):
        assert (ids[-1], end in ids[:-1], ids.dtype) == (end, False, np.uint16)
        assert made.decode(ids[:-1].tolist()).encode() == document
        assert len(ids) < 0.8 * len(document)


def test_the_name_of_a_special_token_in_a_text_is_text(bpe: str) -> None:
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(bpe)
    for one in (f"a {END} b", f"é {END} b", f"\u00a0 {END} b"):
        (ids,) = encoder(bpe, 300)([one.encode()])
        assert (ids == made.token_to_id(END)).sum() == 1
        assert made.decode(ids[:-1].tolist()) == one


PARTS = [
    "a",
    "Zoë",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r\n",
    "'s",
    "'ll",
    "'t",
    "s",
    "'re",
    "12",
    "½",
    "Ⅷ",
    "東",
    "_",
    "..",
    "\u00a0",
    "\u2003",
    "\x0b",
    "\x1c",
    "\u0085",
    "e\u0301",
    "🙂",
    "-",
    "\ufeff",
    "\u200b",
]


def test_word_by_word_gives_the_ids_of_the_whole_text() -> None:
    from tokenizers import Tokenizer

    code = Path(random.__file__).read_text()
    speech = "it's they're we've I'm you'll he'd can't don't 12 1234 2024 .. ... == -- " * 99
    speech += "x\u00a0  y \u2003 \u2003 z\x0b  q\x0b\x0b\x0b  r \u0085  s" * 99  # so that merges know these spaces
    rich = str(train_bpe([code.encode(), speech.encode(), *TEXTS], 1500).to_str())
    made = Tokenizer.from_str(rich)
    assert splits_at_white_space(rich)
    chosen = random.Random(0)
    texts = ["".join(chosen.choices(PARTS, k=chosen.randint(1, 30))) for _ in range(3000)]
    texts += ["".join(chosen.choices(PARTS[:16], k=chosen.randint(1, 60))) for _ in range(3000)]
    ascii_parts = [part for part in PARTS if part.isascii()]
    texts += ["".join(chosen.choices(ascii_parts, k=chosen.randint(1, 60))) for _ in range(3000)]
    texts += [code, speech, f"{speech} é {code}"]
    for one, ids in zip(texts, encoder(rich, 1500)([one.encode() for one in texts]), strict=True):
        assert ids[:-1].tolist() == made.encode(one, add_special_tokens=False).ids, one


def test_a_tokenizer_that_splits_otherwise_is_given_the_whole_text() -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(unk_token="?"))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("_"), normalizers.Replace(" ", "_")])
    made.pre_tokenizer = pre_tokenizers.Split("_", "merged_with_next")
    made.train_from_iterator([one.decode() for one in TEXTS], trainers.BpeTrainer(vocab_size=300, show_progress=False))
    assert not splits_at_white_space(made.to_str())
    for one, ids in zip(TEXTS, encoder(made.to_str(), 300)(TEXTS), strict=True):
        assert ids.tolist() == made.encode(one.decode()).ids


def test_a_long_document_is_encoded_whole(bpe: str) -> None:
    from tokenizers import Tokenizer

    document = b"".join(TEXTS) * 40
    assert len(document) > 1 << 20
    (ids,) = encoder(bpe, 300)([document])
    assert Tokenizer.from_str(bpe).decode(ids[:-1].tolist()).encode() == document


def test_bytes_end_with_a_byte_that_is_in_no_text() -> None:
    (ids,) = encoder(None, 256)(["é\n".encode()])
    assert ids.tolist() == [0xC3, 0xA9, 10, 0]


def test_the_narrowest_type_holds_every_id() -> None:
    assert [token_type(n).itemsize for n in (256, 257, 65_536, 65_537)] == [1, 2, 2, 4]


def test_a_given_tokenizer_must_have_the_vocabulary_of_the_spec(tmp_path: Path, bpe: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(bpe)
    assert read_tokenizer(path, 300).get_vocab_size() == 300
    with pytest.raises(SpecError, match=r"model\.vocabulary is 512, but .*tokenizer\.json has 300 tokens; write that"):
        read_tokenizer(path, 512)
    path.write_text("{}")
    with pytest.raises(SpecError, match=r"model\.tokenizer: .*tokenizer\.json is not a tokenizer\.json"):
        read_tokenizer(path, 300)
    with pytest.raises(SpecError, match=r"model\.tokenizer: there is no file .*none\.json; write bytes, bpe"):
        read_tokenizer(tmp_path / "none.json", 300)


def test_a_vocabulary_the_text_cannot_fill() -> None:
    with pytest.raises(SpecError, match=r"only supports 2.. BPE tokens; ask for that or fewer"):
        train_bpe([b"abc abc"], 400)
    with pytest.raises(SpecError, match=r"model\.vocabulary is 200; a byte-level BPE needs 257"):
        train_bpe(TEXTS, 200)
