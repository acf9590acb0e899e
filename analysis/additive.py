"""Laws of the loss itself: a sum of falling powers of what a network is and has seen, and a constant.

    loss = Σ_v exp(c_v)·(u_v·x_v)^(−e_v) + E,   x_v among width, depth, params, tokens,   E = exp(log_irreducible)

u_v is the unit the authors count x_v in (1 unless the law says so). At fixed N = k·L·d² such a law has a valley
in depth as soon as it has both width and depth: the width term grows like L^{e_w/2}, the depth term falls like
L^{−e_d}, and its bottom is where their slopes cancel, e_w/2·(width term) = e_d·(depth term).
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from analysis.arrays import Array
from analysis.law import Card, LawError

VARIABLES = ("width", "depth", "params", "tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditiveLaw:
    """A final law sets `card`, `variables` and, where they are not 1, `units`; nothing else.

    exponents, log_coefficients   e_v and c_v, in the order of `variables`
    log_irreducible               ln E; −inf is E = 0
    """

    exponents: tuple[float, ...]
    log_coefficients: tuple[float, ...]
    log_irreducible: float

    card: ClassVar[Card]
    variables: ClassVar[tuple[str, ...]]
    units: ClassVar[dict[str, float]] = {}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Of the constants, in the order of θ; coefficients and E by their logarithms, as they are fitted."""
        exponents = (f"{v}_exponent" for v in cls.variables)
        return (*exponents, *(f"log_{v}_coefficient" for v in cls.variables), "log_irreducible")

    @classmethod
    def of(cls, theta: Array) -> Self:
        """The law with these constants, (2V + 1,): exponents, log-coefficients, ln E."""
        count = len(cls.variables)
        if len(theta) != 2 * count + 1:
            raise ValueError(f"{cls.card.name} has {2 * count + 1} constants, not {len(theta)}")
        exponents, coefficients = tuple(map(float, theta[:count])), tuple(map(float, theta[count:-1]))
        return cls(exponents=exponents, log_coefficients=coefficients, log_irreducible=float(theta[-1]))

    @classmethod
    def of_values(cls, values: dict[str, float]) -> Self:
        """The law whose constants have these values, by name."""
        return cls.of(np.array([values[name] for name in cls.names()], float))

    @property
    def theta(self) -> Array:
        """The constants, (2V + 1,)."""
        return np.array([*self.exponents, *self.log_coefficients, self.log_irreducible], float)

    @property
    def values(self) -> dict[str, float]:
        return dict(zip(self.names(), map(float, self.theta), strict=True))

    @classmethod
    def features(cls, columns: dict[str, Array]) -> Array:
        """ln(u_v·x_v), (N, V), from columns by name. Raises LawError where one that the law needs is missing."""
        missing = [v for v in cls.variables if v not in columns]
        if missing:
            raise LawError(
                f"{cls.card.name} needs {' and '.join(missing)}: give {' and '.join('--' + v for v in missing)}"
            )
        logs = [np.log(np.asarray(columns[v], float) * cls.units.get(v, 1.0)) for v in cls.variables]
        return np.stack(np.broadcast_arrays(*logs), -1)

    def loss(self, **columns: float | Array) -> Array:
        """Predicted loss, nats per token, from width, depth, params and tokens; those it does not use are let be."""
        features = self.features({name: np.asarray(value, float) for name, value in columns.items()})
        return np.asarray(np.exp(log_loss(self.theta, features)))

    def _depth_terms(self) -> tuple[float, float, float, float, float, float]:
        """(e_w, c_w, ln u_w, e_d, c_d, ln u_d). Raises LawError where the law cannot say how deep."""
        if "width" not in self.variables or "depth" not in self.variables:
            raise LawError(
                f"{self.card.name} has no depth in it ({self.card.formula}), so it cannot recommend one; "
                "ask levine2020 or gemstones-width-depth-params-tokens"
            )
        w, d = self.variables.index("width"), self.variables.index("depth")
        if self.exponents[w] <= 0 or self.exponents[d] <= 0:
            raise LawError(f"{self.card.name} has an exponent of width or depth that is not positive: no best depth")
        units = (float(np.log(self.units.get(v, 1.0))) for v in ("width", "depth"))
        unit_w, unit_d = units
        return self.exponents[w], self.log_coefficients[w], unit_w, self.exponents[d], self.log_coefficients[d], unit_d

    def depth(self, params: float | Array, block_coefficient: float = 12.0) -> Array:
        """L*, of the shape of `params` (N), at fixed N and tokens. Raises LawError where the law has no depth.

        ln L* = [c_d + ln e_d − e_d·ln u_d − c_w − ln(e_w/2) + e_w·(½·ln(N/k) + ln u_w)] / (e_w/2 + e_d).
        """
        e_w, c_w, unit_w, e_d, c_d, unit_d = self._depth_terms()
        log_size = np.log(np.asarray(params, float) / block_coefficient)
        top = c_d + np.log(e_d) - e_d * unit_d - c_w - np.log(e_w / 2) + e_w * (log_size / 2 + unit_w)
        return np.asarray(np.exp(top / (e_w / 2 + e_d)))

    def depth_gradient(self, params: float | Array, block_coefficient: float = 12.0) -> Array:
        """Derivatives of ln L* by the constants, params.shape + (2V + 1,)."""
        e_w, _, unit_w, e_d, _, unit_d = self._depth_terms()
        log_size = np.log(np.asarray(params, float) / block_coefficient)
        log_depth = np.log(self.depth(params, block_coefficient))
        total = e_w / 2 + e_d
        count = len(self.variables)
        w, d = self.variables.index("width"), self.variables.index("depth")
        gradient = np.zeros((*log_depth.shape, 2 * count + 1))
        gradient[..., w] = (log_size / 2 + unit_w - 1 / e_w - log_depth / 2) / total
        gradient[..., d] = (1 / e_d - unit_d - log_depth) / total
        gradient[..., count + w] = -1 / total
        gradient[..., count + d] = 1 / total
        return gradient


def log_loss(theta: Array, features: Array) -> Array:
    """ln of the predicted loss, (N,); theta (2V + 1,), features ln(u_v·x_v) (N, V)."""
    count = features.shape[-1]
    exponents = theta[count:-1] - features * theta[:count]
    top = np.maximum(exponents.max(-1), theta[-1])
    return np.asarray(top + np.log(np.exp(exponents - top[..., None]).sum(-1) + np.exp(theta[-1] - top)))
