"""YAML as plain data and the line each value stands on; nothing else that YAML can do.

No tags, no duplicate keys, bounded size, depth and aliases. Scalars follow YAML 1.2's core schema, so 3e4 is a
number and `on` is a word, which PyYAML's own 1.1 rules have the other way round.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 100_000

INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
WORDS = {"null": None, "Null": None, "~": None, "": None, "true": True, "True": True, "false": False, "False": False}

Place = tuple[str | int, ...]


class SpecError(ValueError):
    """A request that is wrong. The message says where, what stands there, what is allowed and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Plain data, and for every place in it (a path of keys and indices) the file and line it came from."""

    data: Any
    lines: dict[Place, str] = field(default_factory=dict)

    def where(self, place: Place) -> str:
        """file:line of the nearest enclosing value that has one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, "")


def load(path: Path) -> Document:
    """Read one file. Raises SpecError for what is refused, naming the line."""
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MAX_BYTES else ""
    except FileNotFoundError as error:
        raise SpecError(f"{path}: there is no such file; `sweep init {path}` writes one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read as text: {error}") from error
    if size > MAX_BYTES:
        raise SpecError(f"{path}: {size:,} bytes; a spec has at most {MAX_BYTES:,}")
    try:
        _check_events(text, path)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SpecError(
            f"{path}{line}: not YAML: {getattr(error, 'problem', None) or error}; look at brackets, quotes and "
            "indentation up to there"
        ) from error
    lines: dict[Place, str] = {}
    budget = [MAX_NODES]
    data = None if node is None else _plain(node, (), path, lines, budget)
    return Document(data=data, lines=lines)


def _check_events(text: str, path: Path) -> None:
    """Refuse depth and tags before anything recursive sees them; PyYAML's event parser is a flat loop."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise SpecError(f"{path}:{line}: the tag {tag!r} is not allowed; a spec is plain data")
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise SpecError(f"{path}:{line}: nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _plain(node: yaml.Node, place: Place, path: Path, lines: dict[Place, str], budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0 or len(place) > MAX_DEPTH:
        raise SpecError(f"{path}: its aliases unfold to more than {MAX_NODES:,} values or {MAX_DEPTH} levels")
    line = f"{path}:{node.start_mark.line + 1}"
    lines[place] = line
    match node:
        case yaml.ScalarNode():
            return node.value if node.style else scalar(node.value)
        case yaml.SequenceNode():
            return [_plain(item, (*place, index), path, lines, budget) for index, item in enumerate(node.value)]
        case yaml.MappingNode():
            data: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = _plain(key_node, place, path, lines, budget)
                if isinstance(key, (dict, list)):
                    raise SpecError(f"{path}:{key_node.start_mark.line + 1}: a key must be a word or a number")
                if key in data:
                    raise SpecError(
                        f"{path}:{key_node.start_mark.line + 1}: the key {key!r} stands twice; leave one of them"
                    )
                data[key] = _plain(value_node, (*place, key), path, lines, budget)
            lines[place] = line
            return data
        case _:
            raise SpecError(f"{line}: {type(node).__name__} is not allowed")


def scalar(text: str) -> bool | int | float | str | None:
    """A plain scalar by YAML 1.2's core schema; .inf and .nan stay words, which no field takes."""
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text.replace("_", "")) if len(text) < 40 else text
    if FLOAT.fullmatch(text):
        value = float(text.replace("_", ""))
        return value if value not in (float("inf"), float("-inf")) else text
    return text
