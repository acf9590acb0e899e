"""A spec to the trials it asks for: pure, so that a plan, a dry run and a real run can never differ."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from models.parametrization import Parametrization
from models.shape import Shape
from sweeps import spec as asked
from sweeps.cells import architecture_of, shapes_of
from sweeps.rates import TunedRate, best_rate, rate_of
from sweeps.safe_yaml import SpecError
from sweeps.schedule import Schedule
from sweeps.trial import Evaluation, Optimizer, Recipe, Trial, digest

Purpose = Literal["result", "trunk", "proxy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A trial and why it is in the plan.

    purpose      result: its final loss is what the sweep asks for; trunk: cool-downs start from it;
                 proxy: it tells the learning rate
    run          the unit of resampling: the first trial of the chain it continues, itself if it continues none
    rate_log_error   standard error of the natural logarithm of its rate, where that was tuned on proxies
    priority     the highest of the grids that ask for it; placement alone goes by it
    """

    trial: Trial
    purpose: Purpose
    run: str
    rate_log_error: float | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Cells that cannot be literal yet: how many trials, and the trials they wait for."""

    trials: int
    after: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Trials in the order in which the spec names them, each once; parents before children.

    notes   what a person should know: cells left out, choices that look doubtful
    """

    name: str
    trials: tuple[Planned, ...]
    waiting: tuple[Waiting, ...]
    notes: tuple[str, ...]
    provisional: bool

    @property
    def hash(self) -> str:
        """First 12 hex digits of SHA-256 over the trials' identities and what waits."""
        waiting = [[w.trials, list(w.after)] for w in self.waiting]
        return digest([self.name, [[p.trial.trial_id, p.purpose] for p in self.trials], waiting])[:12]


def plan(spec: asked.Spec, corpus: str | None, losses: Mapping[str, float | None]) -> Plan:
    """The trials of a spec. Raises SpecError where its parts do not fit together.

    corpus   SHA-256 of the prepared tokens; None: not prepared here, and the ids are provisional
    losses   final held-out loss of finished trials by id (None: ended without one); only proxies are looked up
    """
    planner = Planner(spec, corpus or digest([spec.data.model_dump(), spec.model.tokenizer, spec.model.vocabulary]))
    planner.plan(losses)
    if not planner.trials and not planner.waiting:
        raise SpecError(f"{spec.name}: the grid is empty: largest and smallest leave out every shape")
    return Plan(
        name=spec.name,
        trials=tuple(planner.trials.values()),
        waiting=tuple(planner.waiting),
        notes=tuple(planner.notes),
        provisional=corpus is None,
    )


class Planner:
    """What `plan` gathers while it walks the grid."""

    def __init__(self, spec: asked.Spec, corpus: str) -> None:
        self.spec, self.corpus = spec, corpus
        self.trials: dict[str, Planned] = {}
        self.waiting: list[Waiting] = []
        self.notes: list[str] = []
        self.architecture = architecture_of(spec)
        training, context = spec.training, spec.model.context
        if training.batch_tokens % context:
            below = max(1, training.batch_tokens // context) * context
            raise SpecError(
                f"{spec.name}: training.batch_tokens is {training.batch_tokens}, which does not divide by "
                f"model.context {context}; use a multiple of it, such as {below}"
            )
        self.batch_sequences = training.batch_tokens // context
        self.budgets = sorted({max(2, round(tokens / training.batch_tokens)) for tokens in training.tokens})
        self.warmup = warmup_steps(spec, self.budgets[0])
        self.priority = 0  # of the grid that is walked

    def plan(self, losses: Mapping[str, float | None]) -> None:
        for index, grid in enumerate(self.spec.grid):
            place = f"{self.spec.name}: grid[{index}]" if len(self.spec.grid) > 1 else f"{self.spec.name}: grid"
            self.priority = grid.priority
            shapes, notes = shapes_of(grid, self.architecture, place)
            self.notes += notes
            seeds = grid.seeds or self.spec.training.seeds
            trials = len(shapes) * len(seeds) * len(grid.learning_rate_factors) * len(self.budgets)
            for shape in shapes:
                rates = self.rates(shape, losses, waiting=trials)
                if rates is None:
                    break
                for seed in seeds:
                    for rate in rates.values:
                        for factor in grid.learning_rate_factors:
                            self.train(shape, rates, rate * factor, seed)

    def rates(self, shape: Shape, losses: Mapping[str, float | None], waiting: int) -> "Rates | None":
        """Peak rates of a shape and the parametrisation they hold in; None while its proxies are awaited."""
        training = self.spec.training
        standard = Parametrization(init_std=training.init_std)
        match training.learning_rate:
            case asked.RateTransfer() as choice:
                found = self.tuned(choice, losses, waiting)
                rule = self.transferring(choice)
                if found is None:
                    return None
                return Rates(values=(found.rate,), parametrization=rule, log_error=found.log_error)
            case asked.RateSweep() as choice:
                return Rates(values=tuple(choice.sweep), parametrization=standard)
            case asked.RateRule() as choice:
                return Rates(values=(rate_of(choice, shape),), parametrization=standard)
            case value:
                return Rates(values=(value,), parametrization=standard)

    def tuned(self, choice: asked.RateTransfer, losses: Mapping[str, float | None], waiting: int) -> TunedRate | None:
        """The proxies' verdict; None, and what waits for it noted, while they are not finished."""
        if len(choice.sweep) == 1:
            return TunedRate(rate=choice.sweep[0], log_error=None)
        shape = self.architecture.shape(*choice.base)
        batch = self.spec.training.batch_tokens
        steps = self.budgets[-1] if choice.tokens is None else max(2, round(choice.tokens / batch))
        rule = self.transferring(choice)
        proxies: dict[float, str] = {}
        for rate in choice.sweep:
            trial = self.single(shape, rule, rate, self.spec.training.seeds[0], steps)
            proxies[rate] = self.add(trial, "proxy")
        if any(proxy not in losses for proxy in proxies.values()):
            reason = f"the learning rate, tuned on {len(proxies)} proxies of {shape.label}"
            wait = Waiting(trials=waiting, after=tuple(proxies.values()), reason=reason)
            self.waiting.append(wait)
            return None
        found = best_rate({rate: losses[proxy] for rate, proxy in proxies.items()})
        if found.flag and found.flag not in self.notes:
            self.notes.append(found.flag)
        return found

    def transferring(self, choice: asked.RateTransfer) -> Parametrization:
        base = self.architecture.shape(*choice.base)
        return Parametrization(
            rule=choice.transfer,
            base_width=base.width,
            base_depth=base.depth if choice.transfer == "completep" else None,
            base_head_width=base.head_width,
            init_std=self.spec.training.init_std,
        )

    def train(self, shape: Shape, rates: "Rates", rate: float, seed: int) -> None:
        """Add the trials that train one cell for every token budget."""
        wanted, rule = self.spec.training.schedule, rates.parametrization
        if wanted.kind != "wsd":
            for steps in self.budgets:
                self.add(self.single(shape, rule, rate, seed, steps), "result", error=rates.log_error)
            return
        parent, run, first = None, None, 0
        for steps in self.budgets:
            branch = round(steps * (1 - wanted.decay))
            if not max(first, self.warmup) < branch < steps:
                raise SpecError(
                    f"{self.spec.name}: training.schedule: the budget of {steps} steps branches at step {branch}, "
                    f"which must lie after the warm-up ({self.warmup}), after the branch before it ({first}) and "
                    f"before its own end; change decay, or leave a budget out"
                )
            stable = Schedule(kind="constant", warmup=self.warmup, start=0, end=0, final=1.0)
            trunk = self.trial(shape, rule, rate, seed, stable, (branch,), first, branch, parent)
            parent = self.add(trunk, "trunk", run=run)
            run = run or parent
            tail = Schedule(kind="cooldown", warmup=self.warmup, start=branch, end=steps, final=wanted.final)
            cool = self.trial(shape, rule, rate, seed, tail, (steps,), branch, steps, parent)
            self.add(cool, "result", run=run, error=rates.log_error)
            first = branch

    def single(self, shape: Shape, rule: Parametrization, rate: float, seed: int, steps: int) -> Trial:
        """A training of one budget in one piece; a proxy of a wsd sweep cools down like the rest."""
        wanted = self.spec.training.schedule
        warmup = min(self.warmup, steps - 1)
        if wanted.kind == "wsd":
            start = round(steps * (1 - wanted.decay))
            schedule = Schedule(kind="cooldown", warmup=warmup, start=start, end=steps, final=wanted.final)
        else:
            schedule = Schedule(kind=wanted.kind, warmup=warmup, start=0, end=steps, final=wanted.final)
        points = self.spec.evaluation.points
        at = sorted({max(1, round(steps * (n + 1) / points)) for n in range(points)})
        return self.trial(shape, rule, rate, seed, schedule, tuple(at), 0, steps, None)

    def trial(
        self,
        shape: Shape,
        rule: Parametrization,
        rate: float,
        seed: int,
        schedule: Schedule,
        evaluate_at: tuple[int, ...],
        first: int,
        last: int,
        parent: str | None,
    ) -> Trial:
        training = self.spec.training
        muon = training.optimizer.name == "muon"
        optimizer = Optimizer(
            name=training.optimizer.name,
            betas=training.optimizer.betas,
            epsilon=training.optimizer.epsilon,
            weight_decay=training.optimizer.weight_decay,
            momentum=training.optimizer.momentum if muon else None,
            adam_rate=training.optimizer.adam_rate if muon else None,
        )
        recipe = Recipe(
            batch_sequences=self.batch_sequences,
            learning_rate=rate,
            schedule=schedule,
            optimizer=optimizer,
            gradient_clipping=training.gradient_clipping,
            precision=training.precision,
            zero=training.zero,
            compile=training.compile,
            parametrization=rule,
            evaluation=Evaluation(tokens=self.spec.evaluation.tokens, steps=evaluate_at),
        )
        return Trial(shape=shape, recipe=recipe, corpus=self.corpus, seed=seed, first=first, last=last, parent=parent)

    def add(self, trial: Trial, purpose: Purpose, run: str | None = None, error: float | None = None) -> str:
        """Put a trial into the plan unless it is there; its id."""
        known = self.trials.get(trial.trial_id)
        priority = self.priority if known is None else max(known.priority, self.priority)
        if known is None or (known.purpose == "proxy" and purpose == "result"):
            made = Planned(
                trial=trial, purpose=purpose, run=run or trial.trial_id, rate_log_error=error, priority=priority
            )
            self.trials[trial.trial_id] = made
        elif priority > known.priority:
            self.trials[trial.trial_id] = replace(known, priority=priority)
        return trial.trial_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Peak rates of one shape, the parametrisation they hold in, and the error of a tuned one."""

    values: tuple[float, ...]
    parametrization: Parametrization
    log_error: float | None = None


def warmup_steps(spec: asked.Spec, shortest: int) -> int:
    """Steps of warm-up, the same for every budget, of which `shortest` is the least. Raises SpecError."""
    schedule = spec.training.schedule
    if schedule.warmup_steps is None:
        fraction = 0.02 if schedule.warmup is None else schedule.warmup
        return min(round(fraction * shortest), shortest - 1)
    if schedule.warmup_steps >= shortest:
        raise SpecError(
            f"{spec.name}: training.schedule.warmup_steps is {schedule.warmup_steps}, and the shortest training has "
            f"{shortest} steps; warm up for fewer"
        )
    return schedule.warmup_steps
