"""A YAML file to a Spec, with what it extends; errors that say where, what, what is allowed, and what to do."""

import difflib
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sweeps.safe_yaml import Document, Place, SpecError, load
from sweeps.spec import Spec

MAX_EXTENDS = 5
UNIT = re.compile(r"([0-9]+\.?[0-9]*) *([kKmMbBgGtT])")
EXPONENTS = {"k": "e3", "m": "e6", "b": "e9", "g": "e9", "t": "e12"}
# Of AWS, Hugging Face, GitHub and the like, private keys, and addresses with a password.
SECRET = re.compile(
    r"AKIA[0-9A-Z]{16}|\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9_-]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]+:[^/\s@]+@"
)


def load_spec(path: Path) -> Spec:
    """Read, extend and validate. Raises SpecError listing every fault found, secrets before all others."""
    document = extended(path)
    if told := secrets_in(document):
        raise SpecError("\n".join(told))
    try:
        return Spec.model_validate(document.data)
    except ValidationError as error:
        faults = [explain(document, fault) for fault in error.errors(include_url=False)]
        raise SpecError("\n".join(dict.fromkeys(faults))) from None


def secrets_in(document: Document) -> list[str]:
    """A line for every value that looks like a secret, without the value: a spec is recorded and shared."""
    told = []

    def look(value: Any, place: Place) -> None:
        match value:
            case dict():
                for key, item in value.items():
                    look(item, (*place, key))
            case list():
                for index, item in enumerate(value):
                    look(item, (*place, index))
            case str() if SECRET.search(value):
                told.append(
                    f"{document.where(place)}: {dotted(place)}: this looks like a secret, and a spec is recorded; "
                    f"put it into the environment instead"
                )

    look(document.data, ())
    return told


def dotted(place: Place) -> str:
    """A place as people write it: model.heads, grid[0].depths."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".") or "the spec"


def extended(path: Path, depth: int = 0) -> Document:
    """The file laid over the one its `extends` names: mappings merge, anything else replaces."""
    document = load(path)
    if not isinstance(document.data, dict):
        raise SpecError(f"{path}: a spec is a mapping that begins with name:, model:, grid:, …")
    if "extends" not in document.data:
        return document
    if depth == MAX_EXTENDS:
        raise SpecError(f"{document.where(('extends',))}: extends more than {MAX_EXTENDS} files deep, or in a circle")
    named = document.data["extends"]
    if not isinstance(named, str):
        raise SpecError(f"{document.where(('extends',))}: extends takes the path of one other spec, not {named!r}")
    under = extended(path.parent / named, depth + 1)
    over = {key: value for key, value in document.data.items() if key != "extends"}
    return Document(data=merged(under.data, over), lines=under.lines | document.lines)


def merged(under: Any, over: Any) -> Any:
    """`over` laid over `under`; neither is changed."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    kept = {key: value for key, value in under.items() if key not in over}
    return kept | {key: merged(under.get(key), value) for key, value in over.items()}


def explain(document: Document, fault: Any) -> str:
    """One line for one of pydantic's errors."""
    place = real_place(fault["loc"], document.data)
    named = dotted(place)
    where = document.where(place)
    value = fault["input"]
    shown = "" if isinstance(value, (dict, list)) else f" is {value!r}"
    match fault["type"]:
        case "extra_forbidden":
            known = known_keys(place[:-1])
            close = difflib.get_close_matches(str(place[-1]), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"keys here are {', '.join(known)}"
            said = f"{named}: there is no such key; {hint}"
        case "missing":
            said = f"{named}: is missing, and has no default; `sweep init` writes a whole spec to start from"
        case "value_error":
            said = f"{named}: {fault['ctx']['error']}"
        case "string_pattern_mismatch":
            said = f"{named}{shown}; allowed are lower-case letters, digits, '.', '-' and '_', at most 63"
        case _:
            allowed = (
                fault["msg"]
                .replace("Input should be ", "it should be ")
                .replace("Input should have ", "it should have ")
            )
            said = f"{named}{shown}; {allowed[0].lower() + allowed[1:]}{as_number(value)}"
    return f"{where}: {said}"


def as_number(value: Any) -> str:
    """How a number with a unit is written instead."""
    match = UNIT.fullmatch(value) if isinstance(value, str) else None
    return f"; write {float(match[1]):g}{EXPONENTS[match[2].lower()]}" if match else ""


def real_place(location: tuple[Any, ...], data: Any) -> Place:
    """Pydantic's location without what is in nobody's file: names of a union's arms, and a lone value's place in the
    list it stands for."""
    place: list[str | int] = []
    for index, key in enumerate(location):
        if (isinstance(data, dict) and key in data) or (
            isinstance(data, list) and isinstance(key, int) and key < len(data)
        ):
            data = data[key]
        elif index < len(location) - 1 or isinstance(key, int) or not isinstance(data, dict):
            continue
        place.append(key)
    return tuple(place)


def known_keys(place: Place) -> list[str]:
    """Keys of the mapping at a place of a spec, for messages; of the whole spec where the place has several shapes."""
    model: type[BaseModel] = Spec
    for key in place:
        field = model.model_fields.get(str(key))
        arms = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        models = [arm for arm in arms if isinstance(arm, type) and issubclass(arm, BaseModel)]
        if len(models) == 1:
            model = models[0]
    return [*model.model_fields, *(["extends"] if model is Spec else [])]
