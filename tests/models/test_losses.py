"""The chunked loss and its gradient are those of torch's own in fp64."""

import pytest
import torch
from torch.nn import functional as fn

from models.losses import cross_entropy


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_loss_and_gradient_are_those_of_the_plain_formula(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    kept = (torch.randn(3, 700, 300) * 4).to(dtype)  # more than one chunk, and the last one smaller
    targets = torch.randint(300, (3, 700))
    exact = kept.double().requires_grad_()
    expected = fn.cross_entropy(exact.flatten(0, 1), targets.flatten())
    (3 * expected).backward()

    leaf = kept.clone().requires_grad_()
    loss = cross_entropy(leaf * 1, targets)
    (3 * loss).backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert leaf.grad is not None
    assert exact.grad is not None
    largest = exact.grad.abs().max()
    assert (leaf.grad - exact.grad).abs().max() <= largest * (1e-6 if dtype == torch.float32 else 2**-7)


def test_without_gradient_the_logits_are_left_alone() -> None:
    logits, targets = torch.randn(1, 8, 16), torch.randint(16, (1, 8))
    kept = logits.clone()
    cross_entropy(logits, targets)
    assert torch.equal(logits, kept)
