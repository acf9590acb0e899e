"""The schema of a sweep's YAML file: the only place where what a user writes is validated.

Every field's description is what `sweep schema` and the reference print. None means "derive", and is resolved
once, when the sweep is planned.
"""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from sweeps.strict import Count, Fraction, Positive, Rate, Strict
from sweeps.tracking import Tracking, by_name


def one_or_many(value: Any) -> Any:
    """A single value where a list is meant stands for a list of one."""
    return value if isinstance(value, list) else [value]


def by_kind(value: Any) -> str:
    """Whether a list is given for all depths, or a mapping by depth."""
    return "by depth" if isinstance(value, dict) else "for all depths"


T = TypeVar("T")
ByDepth = Annotated[
    Annotated[list[T], Tag("for all depths")] | Annotated[dict[Count, list[T]], Tag("by depth")],
    Discriminator(by_kind),
]


class Model(Strict):
    """What all networks of the sweep have in common."""

    family: str = Field(
        "gpt", description="the decoder's family: gpt (the paper's), llama, or one installed beside them"
    )
    tokenizer: str = Field(
        "bytes",
        description="bytes, bpe (trained on the corpus to `vocabulary`), the path of a tokenizer.json, or none where "
        "the corpus is token ids already",
    )
    vocabulary: Count | None = Field(None, description="number of distinct tokens; 256 for bytes, needed otherwise")
    context: Annotated[int, Field(ge=2)] = Field(128, description="tokens a sequence")
    heads: Count | None = Field(None, description="attention heads a block, the same at every width")
    head_width: Count | None = Field(None, description="dimension of a head; heads then grow with the width")
    kv_heads: Count | None = Field(None, description="key-value heads (grouped queries); as many as heads if left out")
    feed_forward: Positive | None = Field(
        None, description="feed-forward width over model width; the family's if left out"
    )
    tied: bool = Field(False, description="use the token embedding as output head")
    qk_norm: bool = Field(False, description="normalise queries and keys")
    options: dict[str, bool | int | float | str] = Field({}, description="scalars for a family defined elsewhere")

    @model_validator(mode="after")
    def consistent(self) -> Self:
        if (self.heads is None) == (self.head_width is None):
            raise ValueError("give either heads (so many at every width) or head_width (heads grow with the width)")
        if self.tokenizer == "bytes" and self.vocabulary not in (None, 256):
            raise ValueError(
                f"bytes have a vocabulary of 256, not {self.vocabulary}; leave it out or use tokenizer: bpe"
            )
        if self.tokenizer != "bytes" and self.vocabulary is None:
            raise ValueError(f"tokenizer {self.tokenizer} needs a vocabulary, for example vocabulary: 2000")
        return self


class Grid(Strict):
    """Shapes: depths with sizes or widths, or explicit shapes."""

    depths: list[Count] | None = Field(None, description="numbers of layers")
    sizes: ByDepth[Positive] | None = Field(
        None, description="parameters N of the blocks' matrices, for all depths or by depth; the nearest width is taken"
    )
    widths: ByDepth[Count] | None = Field(None, description="widths, for all depths or by depth")
    shapes: list[tuple[Count, Count]] | None = Field(None, description="[depth, width] pairs")
    largest: Positive | None = Field(None, description="leave out shapes with more parameters than this")
    smallest: Positive | None = Field(None, description="leave out shapes with fewer parameters than this")
    seeds: list[Annotated[int, Field(ge=0)]] | None = Field(
        None, description="seeds of these cells, if not training.seeds"
    )
    learning_rate_factors: list[Positive] = Field([1.0], description="train each cell at its rate times each of these")
    priority: int = Field(0, description="cells of a higher priority start first, whatever their length")

    @model_validator(mode="after")
    def one_way(self) -> Self:
        ways = [name for name in ("sizes", "widths", "shapes") if getattr(self, name)]
        if len(ways) != 1:
            raise ValueError(f"say the shapes in exactly one way, sizes, widths or shapes; here are {ways or 'none'}")
        if self.shapes and self.depths:
            raise ValueError("shapes are whole pairs: leave depths out")
        by_depth = isinstance(getattr(self, ways[0]), dict)
        if ways[0] != "shapes" and by_depth == bool(self.depths):
            raise ValueError(f"give depths with a list of {ways[0]}, or {ways[0]} by depth and no depths")
        return self


class RateRule(Strict):
    """A power law in width and depth through one known rate."""

    value: Rate = Field(description="the rate at `width` and `depth`")
    width: Count = Field(description="width at which `value` holds")
    depth: Count = Field(1, description="depth at which `value` holds")
    width_power: float = Field(-0.5, description="the rate is proportional to width to this power")
    depth_power: float = Field(0.0, description="and to depth to this power")


class RateSweep(Strict):
    """Several rates a shape; the analysis takes the best and flags an optimum at the edge."""

    sweep: Annotated[list[Rate], Field(min_length=2)] = Field(description="rates to train every cell at")


class RateTransfer(Strict):
    """Tune on a small proxy and transfer by a parametrisation under which the optimum stays put."""

    transfer: Literal["mup", "completep"] = Field(
        description="how initial scales and rates change with width and depth"
    )
    base: tuple[Count, Count] = Field(description="[depth, width] of the proxy, at which the rule is the standard one")
    sweep: Annotated[list[Rate], Field(min_length=1)] = Field(
        description="rates tried on the proxy; one: no proxy is run"
    )
    tokens: Positive | None = Field(None, description="tokens of a proxy run; those of the sweep if left out")


def rate_kind(value: Any) -> str:
    """Which of the four ways of giving a learning rate this is."""
    match value:
        case {"transfer": _} | RateTransfer():
            return "transfer"
        case {"sweep": _} | RateSweep():
            return "sweep"
        case {} | RateRule():
            return "rule"
        case _:
            return "value"


LearningRate = Annotated[
    Annotated[Rate, Tag("value")]
    | Annotated[RateRule, Tag("rule")]
    | Annotated[RateSweep, Tag("sweep")]
    | Annotated[RateTransfer, Tag("transfer")],
    Discriminator(rate_kind),
]


class Schedule(Strict):
    """How the learning rate moves over a training."""

    kind: Literal["cosine", "linear", "wsd"] = Field(
        "cosine", description="wsd: warm-up, stable, decay from a shared trunk"
    )
    warmup: Fraction | None = Field(
        None, description="part of the shortest token budget spent warming up; 0.02 if left out"
    )
    warmup_steps: Annotated[int, Field(ge=0)] | None = Field(None, description="or the warm-up in steps")
    final: Fraction = Field(0.0, description="last rate over peak rate")
    decay: Fraction = Field(0.2, description="wsd: part of a budget spent cooling down")

    @model_validator(mode="after")
    def one_warmup(self) -> Self:
        if self.warmup is not None and self.warmup_steps is not None:
            raise ValueError("give warmup (a fraction) or warmup_steps, not both")
        return self


class Optimizer(Strict):
    """AdamW for everything, or Muon for the blocks' matrices and AdamW for the rest."""

    name: Literal["adamw", "muon"] = "adamw"
    betas: tuple[Fraction, Fraction] = Field((0.9, 0.95), description="Adam's decay rates")
    epsilon: Positive = Field(1e-8, description="Adam's ε")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.1, description="decoupled, on matrices and tables only")
    momentum: Fraction = Field(0.95, description="Muon's momentum")
    adam_rate: Positive = Field(1.0, description="Muon: the rate of the AdamW part over that of the matrices")

    @model_validator(mode="after")
    def muons_own(self) -> Self:
        fields = type(self).model_fields
        theirs = [name for name in ("adam_rate", "momentum") if getattr(self, name) != fields[name].default]
        if self.name != "muon" and theirs:
            raise ValueError(f"{' and '.join(theirs)} is Muon's; say name: muon, or leave it out")
        return self


class Training(Strict):
    """The recipe: everything here changes the numbers, so it is part of every trial's identity."""

    tokens: Annotated[list[Count], Field(min_length=1), BeforeValidator(one_or_many)] = Field(
        description="tokens a network; rounded to whole steps"
    )
    batch_tokens: Count = Field(description="tokens a step, over all workers; a multiple of the context")
    precision: Literal["fp32", "bf16"] = "bf16"
    zero: Literal[0, 1, 2, 3] = Field(
        1, description="DeepSpeed ZeRO stage; in bf16 it moves the last digits, so hold it"
    )
    compile: bool = Field(False, description="torch.compile the blocks: pays for itself in long trainings only")
    optimizer: Optimizer = Optimizer()
    gradient_clipping: Positive | None = Field(1.0, description="largest global gradient norm; null for none")
    learning_rate: LearningRate = Field(description="peak rate: a value, a rule, a sweep, or a transfer")
    schedule: Schedule = Schedule()
    init_std: Positive | None = Field(None, description="standard deviation of initial matrices; 1/√fan-in if left out")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        [0], description="one training each"
    )

    @model_validator(mode="after")
    def muon_unclipped(self) -> Self:
        if self.optimizer.name == "muon" and self.zero and self.gradient_clipping is not None:
            raise ValueError(
                f"with optimizer muon and zero: {self.zero}, gradient_clipping: {self.gradient_clipping:g} would clip "
                f"Muon's updates, whose norm grows with the network, and not the gradients (DeepSpeed 0.19 does so); "
                f"say gradient_clipping: null, which suits Muon's steps of fixed size, or zero: 0"
            )
        return self

    @field_validator("seeds")
    @classmethod
    def distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("a seed stands twice")
        return seeds


class Evaluation(Strict):
    """Held-out loss: how much text, and how often."""

    tokens: Count = Field(262_144, description="held-out tokens, the same ones for every trial")
    points: Count = Field(4, description="evaluations at equal distances in tokens; the last one at the end")


class Data(Strict):
    """The text, and how it is split."""

    corpus: str | dict[str, Any] | list[str | dict[str, Any]] = Field(
        description="where the text is: python-stdlib (this interpreter's own library), {files: PATTERN}, "
        "{dataset: NAME} of Hugging Face, {package: NAME==VERSION, sha256: …} of the package index, "
        "{file: PATH or ADDRESS, sha256: …}, {tokens: PATTERN} already tokenised, or a list of them "
        "(docs/corpora.md has their keys)"
    )
    held_out: Annotated[float, Field(gt=0, lt=1)] = Field(0.02, description="part of the documents kept for evaluation")
    repeat: bool = Field(False, description="allow more tokens than the corpus has, in further epochs")


class Cluster(Strict):
    """Placement only: no trial's identity depends on it."""

    address: str | None = Field(None, description="a running Ray cluster's address; a local one is started if left out")
    nodes: Count | None = Field(None, description="plan, autoscale: nodes of the cluster; this machine if left out")
    gpus: Count | None = Field(None, description="plan, autoscale: GPUs of each node")
    device: str | None = Field(None, description="plan, autoscale: kind of device, by its name in the file of devices")
    autoscale: bool = Field(
        False,
        description="the cluster grows up to nodes, gpus and device: ask its autoscaler for them while trials wait",
    )
    devices: str | None = Field(None, description="your own file of devices, their memory, speed and price")
    sharing: bool = Field(True, description="let small networks share a GPU as far as memory and its speed allow")
    largest_gang: Count | None = Field(None, description="most workers a trial may have; the whole cluster if left out")
    efficiency: Fraction = Field(
        0.7, description="allow gangs that use their devices at least so well as one device, or the fewest, would be"
    )
    workers: Count | None = Field(None, description="workers a trial; from the memory estimate if left out")
    cpus_per_worker: Count = Field(1, description="threads and CPUs of a worker")
    micro_batch: Count | None = Field(
        None, description="sequences a worker takes at once; from the estimate if left out"
    )
    checkpoint_seconds: Positive = Field(60, description="time between checkpoints")
    hang_seconds: Positive = Field(600, description="time without progress after which an attempt is given up")
    retries: Annotated[int, Field(ge=0)] = Field(3, description="attempts a trial may lose through its own fault")


class Budget(Strict):
    """What the whole sweep may cost; what would pass it is not started."""

    hours: Positive | None = Field(None, description="device-hours: of GPUs, or of cores where there are none")
    price: Positive | None = Field(None, description="price, in the currency of the file of devices")


class EarlyStopping(Strict):
    """Successive halving (ASHA), at token counts that grow by `factor`: the best of each go on."""

    tokens: Positive = Field(description="tokens every trial gets; the first comparison is made there")
    factor: Annotated[float, Field(gt=1)] = Field(
        4, description="one in so many goes on, and the next comparison is at so many times the tokens"
    )
    needed: bool = Field(
        False,
        description="compare all trials, and stop also those whose losses a fit needs; otherwise only trials of one "
        "cell that differ in nothing but the learning rate are compared, of which a fit needs the best",
    )


class Spec(Strict):
    """A sweep: which networks, trained how, on what."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")] = Field(
        description="lower-case letters, digits, '.', '-' and '_'; names the sweep in the record"
    )
    model: Model
    grid: Annotated[list[Grid], Field(min_length=1), BeforeValidator(one_or_many)]
    data: Data
    training: Training
    evaluation: Evaluation = Evaluation()
    cluster: Cluster = Cluster()
    tracking: Annotated[Tracking, BeforeValidator(by_name)] = Tracking()
    budget: Budget = Budget()
    early_stopping: EarlyStopping | None = Field(None, description="stop trials that fall behind; none if left out")
