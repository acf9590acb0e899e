"""One network and one training, all literal, and the identity that follows from them."""

import hashlib
from dataclasses import asdict, dataclass
from functools import cached_property
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, Literal

from models.parametrization import Parametrization
from models.shape import Shape
from sweeps.schedule import Schedule

# Raised by any change of code that moves a loss (CHANGELOG, "Changes that move numbers").
NUMERICS_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """Literal settings of the optimizer; `momentum` and `adam_rate` are Muon's."""

    name: Literal["adamw", "muon"]
    betas: tuple[float, float]
    epsilon: float
    weight_decay: float
    momentum: float | None = None
    adam_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Held-out tokens, and the steps after which the loss on them is measured."""

    tokens: int
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained, up to the last literal.

    batch_sequences   sequences a step, over all workers
    learning_rate     peak rate
    precision         bf16: DeepSpeed's bf16 weights with fp32 masters; fp32: fp32 throughout
    zero              ZeRO stage; in bf16 it moves the last digits
    compile           whether blocks are compiled, which does too
    """

    batch_sequences: int
    learning_rate: float
    schedule: Schedule
    optimizer: Optimizer
    gradient_clipping: float | None
    precision: Literal["fp32", "bf16"]
    zero: Literal[0, 1, 2, 3]
    compile: bool
    parametrization: Parametrization
    evaluation: Evaluation


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A shape trained by a recipe on a corpus with a seed, from step `first` (exclusive) to step `last`.

    corpus    SHA-256 of the prepared tokens, or, in a provisional plan, of what the spec declares
    parent    the trial whose final checkpoint, at step `first`, this one starts from; None: from initialisation
    """

    shape: Shape
    recipe: Recipe
    corpus: str
    seed: int
    last: int
    first: int = 0
    parent: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.last or (self.first > 0) != (self.parent is not None):
            raise ValueError(
                f"a trial goes from step 0, or from a parent's last step, up; not {self.first}..{self.last}"
            )

    @cached_property
    def config(self) -> dict[str, Any]:
        """Everything that changes the numbers, as plain values; nothing about placement."""
        return {
            "numerics_version": NUMERICS_VERSION,
            "shape": self.shape.as_dict(),
            "recipe": asdict(self.recipe),
            "corpus": self.corpus,
            "seed": self.seed,
            "first": self.first,
            "last": self.last,
            "parent": self.parent,
        }

    @cached_property
    def trial_id(self) -> str:
        """First 16 hex digits of SHA-256 over the config's canonical JSON."""
        return digest(self.config)[:16]

    @property
    def batch_tokens(self) -> int:
        return self.recipe.batch_sequences * self.shape.context

    @property
    def tokens(self) -> int:
        """Tokens the network has seen when the trial ends, its parent's included."""
        return self.last * self.batch_tokens

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Trial":
        """The trial a recorded config describes. Raises ValueError where another version of the code made it."""
        if config["numerics_version"] != NUMERICS_VERSION:
            raise ValueError(f"made by numerics version {config['numerics_version']}; this code is {NUMERICS_VERSION}")
        recipe = config["recipe"]
        return cls(
            shape=Shape(**(config["shape"] | {"options": tuple(sorted(config["shape"]["options"].items()))})),
            recipe=Recipe(
                **recipe
                | {
                    "schedule": Schedule(**recipe["schedule"]),
                    "optimizer": Optimizer(**recipe["optimizer"] | {"betas": tuple(recipe["optimizer"]["betas"])}),
                    "parametrization": Parametrization(**recipe["parametrization"]),
                    "evaluation": Evaluation(
                        tokens=recipe["evaluation"]["tokens"], steps=tuple(recipe["evaluation"]["steps"])
                    ),
                }
            ),
            corpus=config["corpus"],
            seed=config["seed"],
            first=config["first"],
            last=config["last"],
            parent=config["parent"],
        )


def canonical(value: Any) -> str:
    """JSON with one spelling for each value. Raises TypeError for a value that has no stable form."""
    match value:
        case str():
            return encode_basestring(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            if value != value or value in (float("inf"), float("-inf")):
                raise TypeError(f"{value} has no place in an identity")
            return repr(value)
        case list() | tuple():
            return "[" + ",".join(canonical(item) for item in value) + "]"
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise TypeError(f"an identity's keys are words: {list(value)}")
            pairs = (f"{encode_basestring_ascii(key)}:{canonical(value[key])}" for key in sorted(value))
            return "{" + ",".join(pairs) + "}"
        case _:
            raise TypeError(f"{type(value).__name__} has no stable form for an identity: {value!r}")


def digest(value: Any) -> str:
    """SHA-256 over canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
