from datetime import UTC, datetime

import pytest

from analysis.report.wording import between, count, fine_layers, layers, listed, moment, sentence, shape, size, span


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (640, "640"), (999.6, "1K"), (24_300, "24K"), (1.26e6, "1.3M"), (7e9, "7B"), (1e12, "1T"), (3e15, "3e+15"), (None, "–"), (float("nan"), "–")],
)  # fmt: skip
def test_sizes_are_said_as_the_field_says_them(value, said):
    assert size(value) == said


def test_more_digits_where_they_are_asked_for():
    assert size(122_880, 3) == "123K"
    assert size(2_000_896, 3) == "2M"


def test_depths():
    assert [layers(v) for v in (0.4, 2.26, 9.96, 95.3, 1436)] == ["0.4", "2.3", "10", "95", "1,436"]
    assert fine_layers(2.264) == "2.26"
    assert shape(0.7, 100) == "under 1 layer"
    assert shape(40.2, 1439.4) == "40 × 1,439"


def test_an_open_end_is_said_to_be_open():
    assert between((2.0, 3.5)) == "2.00 to 3.50"
    assert between((24_000, None), size) == "24K or more"
    assert between((None, 3.0)) == "up to 3.00"
    assert between((None, None)) == between(None) == "–"


def test_times_and_counts():
    assert moment(datetime(2026, 11, 25, 15, 4, tzinfo=UTC)) == "2026-11-25 15:04 UTC"
    assert [span(s) for s in (9, 130, 7260, 200_000)] == ["9 s", "2 min 10 s", "2 h 1 min", "2 d 7 h"]
    assert (count(1, "trial"), count(1200, "trial")) == ("1 trial", "1,200 trials")
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert sentence("it is so") == sentence("It is so.") == "It is so."
