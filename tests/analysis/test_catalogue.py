import pytest

from analysis.catalogue import card, find, law_names, of_values, published
from analysis.law import LawError

# Outsiders rely on these names: a change here is a change of the interface.
NAMES = (
    "chinchilla",
    "constant-aspect",
    "gemstones-params-tokens",
    "gemstones-width-depth-params-tokens",
    "gemstones-width-depth-tokens",
    "inverse-depth2026",
    "levine2020",
    "transition-power",
)


def test_the_laws_are_those_that_are_promised():
    assert law_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_law_says_what_it_is(name):
    described = card(name)
    assert described.name == name
    for text in (described.formula, described.source, described.expresses, described.cannot_express):
        assert text
    for constants in described.published:
        law = of_values(find(name), constants.values)
        assert law.values == pytest.approx(constants.values)
        assert constants.source
        if constants.covariance:
            assert len(constants.covariance) == len(constants.values)


def test_a_typing_error_gets_a_hint():
    with pytest.raises(LawError, match=r"no law 'levine2021'; did you mean 'levine2020'\?"):
        find("levine2021")


def test_an_unknown_set_of_constants_names_those_there_are():
    with pytest.raises(LawError, match=r"it has 'Besiroglu et al. 2024"):
        published("chinchilla", "someone else")
