import pytest

from analysis.catalogue import published
from analysis.law import LawError


def test_it_predicts_the_loss_of_its_own_model():
    # Chinchilla: 70B parameters, 1.4T tokens; E + A/N^α + B/D^β with the constants as printed in 2022.
    law, _ = published("chinchilla", "Hoffmann et al. 2022")
    assert float(law.loss(params=70e9, tokens=1.4e12)) == pytest.approx(
        1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28
    )


def test_the_first_constants_are_the_re_analysis():
    law, constants = published("chinchilla")
    assert constants.label.startswith("Besiroglu")
    assert float(law.loss(params=1e9, tokens=1e300)) == pytest.approx(1.8172 + 482.01 / 1e9**0.3478)


def test_it_has_no_depth_and_says_which_law_has():
    law, _ = published("chinchilla")
    with pytest.raises(LawError, match=r"has no depth in it .* ask levine2020"):
        law.depth(1e9)


def test_it_asks_for_tokens():
    law, _ = published("chinchilla")
    with pytest.raises(LawError, match="needs tokens: give --tokens"):
        law.loss(params=1e9)
