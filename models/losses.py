"""Next-token cross-entropy in nats, in fp32 whatever the logits are in.

Computed from bf16 logits in bf16, the logged loss would be quantised to 1/64 nat near 2.8 (docs/log.md).
"""

from torch import Tensor
from torch.nn import functional as fn


def cross_entropy(logits_BTV: Tensor, targets_BT: Tensor) -> Tensor:
    """Mean over all tokens of −log p(target), a scalar in fp32."""
    V = logits_BTV.shape[-1]
    return fn.cross_entropy(logits_BTV.view(-1, V).float(), targets_BT.reshape(-1))
