import pytest

from analysis.budget import Budget, BudgetError, Workload
from models.architecture import Architecture
from models.counts import flops_per_token, parameters


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "give --params, or --flops"),
        ({"tokens": 1e9}, "give --params, or --flops"),
        ({"params": 1e9, "flops": 1e20}, "not both"),
        ({"params": -1.0}, "params is -1.0; it must be a positive number"),
        ({"flops": float("nan")}, "flops is nan"),
    ],
)
def test_what_cannot_be_answered_is_refused(asked, says):
    with pytest.raises(BudgetError, match=says):
        Budget(**asked)


def test_flops_are_those_that_models_counts():
    architecture = Architecture(family="gpt", vocabulary=2000, context=128, heads=2)
    shape = architecture.shape(6, 128)
    workload = Workload(context=128, vocabulary=2000)
    assert float(workload.flops_per_token(parameters(shape), 6, 128)) == flops_per_token(shape)


def test_the_basis_says_what_is_left_out():
    assert Workload().basis == "6·N a token; attention and the head left out"
    assert Workload(context=128).basis == "6·N a token with attention; the head left out"
    assert Workload(context=128, vocabulary=10).basis == "6·N a token with attention and the head"
