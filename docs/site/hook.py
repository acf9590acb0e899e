"""What the site has from the code, and what it leaves out: called by MkDocs (mkdocs.yml) at each step of a build.

Commands, specs, the record's columns, laws and exit codes are printed from where they are defined, so that a page of
them cannot be out of date. A link to a file of the repository that is no page of the site becomes plain text.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s]+)(#[^)]*)?\)")
EXIT_CODES = (
    ("DONE", "done"),
    ("DEFECT", "a defect of ours: please report it with the lines it printed"),
    ("REQUEST", "the request is wrong, and nothing was started: the message says where and what is allowed"),
    ("PARTIAL", "finished, but some trials ended without a usable loss"),
    ("DATA", "the data refuses: a damaged record, or a fit that cannot be made"),
    ("RESUMABLE", "stopped, and the same command goes on from there"),
)


# Pages of the menu that are not written yet: links to them are plain text until they are.
absent: set[Path] = set()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Entries of the menu whose page does not exist are left out."""
    docs, made = Path(config.docs_dir).resolve(), set(pages())

    def kept(entries: list[Any]) -> list[Any]:
        found = []
        for entry in entries:
            ((title, target),) = entry.items()
            if isinstance(target, list):
                found.append({title: kept(target)})
            elif target in made or (docs / target).exists():
                found.append(entry)
            else:
                absent.add(docs / target)
        return found

    config.nav = kept(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    font = Path(config.docs_dir).parent / "analysis" / "report" / "assets" / "inter.woff2"
    files.append(File.generated(config, "inter.woff2", content=font.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, **_: Any) -> str:
    """Links to files that are no pages, or none yet, lose their address; all others are checked by MkDocs."""
    here = (Path(config.docs_dir) / page.file.src_uri).parent
    docs = Path(config.docs_dir).resolve()

    def plain(match: re.Match[str]) -> str:
        words, target, _ = match.groups()
        place = (here / target).resolve()
        outside = "://" not in target and place.exists() and not place.is_relative_to(docs)
        return str(words) if outside or place in absent else match[0]

    return LINK.sub(plain, markdown)


def pages() -> dict[str, str]:
    """Generated pages by path."""
    return {
        "reference/commands.md": commands(),
        "reference/spec.md": spec(),
        "reference/record.md": record(),
        "reference/laws.md": laws(),
        "reference/exit-codes.md": exit_codes(),
    }


def commands() -> str:
    """Every command with its arguments and options, from the program itself."""
    import typer

    from orchestrator.cli import app

    group: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "",
        "Standard output is data, standard error is talk. Codes: [exit codes](exit-codes.md).",
        "",
    ]

    def one(name: str, command: Any, level: int) -> None:
        parts.extend([f"{'#' * level} sweep {name}", "", (command.help or "").strip(), ""])
        children = getattr(command, "commands", {})
        rows = [row for parameter in command.params if (row := _parameter(parameter))]
        if rows:
            parts.extend(["| | | if left out |", "|---|---|---|", *rows, ""])
        for child, inner in children.items():
            one(f"{name} {child}", inner, level + 1)

    for name, command in group.commands.items():
        one(name, command, 2)
    return "\n".join(parts)


def _parameter(parameter: Any) -> str | None:
    if parameter.name == "help":
        return None
    if parameter.param_type_name == "argument":
        name = f"`{parameter.name.upper()}`"
    else:
        name = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    if parameter.required:
        shown = "must be given"
    elif default in (None, False) or callable(default):
        shown = "–"
    else:
        shown = f"`{default}`"
    return f"| {name} | {_cell(getattr(parameter, 'help', None) or '')} | {shown} |"


def spec() -> str:
    """Every key of a sweep's YAML, from the schema that checks it."""
    from sweeps.spec import Spec

    schema = Spec.model_json_schema()
    parts = ["# Specs", "", "A sweep is one YAML file. An unknown key is an error, and says which key was meant.", ""]
    for title, section in {"Spec": schema, **schema["$defs"]}.items():
        parts += [
            f"## {title}",
            "",
            section.get("description", ""),
            "",
            "| key | | if left out | |",
            "|---|---|---|---|",
        ]
        required = section.get("required", [])
        for key, value in section.get("properties", {}).items():
            default = "must be given" if key in required else _default(value)
            parts.append(f"| `{key}` | {_type(value)} | {default} | {_cell(value.get('description', ''))} |")
        parts.append("")
    return "\n".join(parts)


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    return "–" if default is None or isinstance(default, dict) else f"`{default}`".lower().replace("'", "")


def _type(value: dict[str, Any]) -> str:
    match value:
        case {"$ref": ref}:
            name = ref.rsplit("/", 1)[1]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": options} | {"oneOf": options}:
            words = [_type(option) for option in options if option.get("type") != "null"]
            return " or ".join(dict.fromkeys(words))
        case {"allOf": [only]}:
            return _type(only)
        case {"enum": options}:
            return " or ".join(f"`{option}`" for option in options)
        case {"const": only}:
            return f"`{only}`"
        case {"type": "array", "prefixItems": items}:
            return "[" + ", ".join(map(_type, items)) + "]"
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"type": "object"}:
            return "mapping"
        case {"type": kind}:
            word = {"integer": "whole number", "boolean": "true or false", "string": "text"}.get(kind, kind)
            bounds = [
                f"{sign} {value[key]:g}"
                for key, sign in (
                    ("minimum", "≥"),
                    ("exclusiveMinimum", ">"),
                    ("maximum", "≤"),
                    ("exclusiveMaximum", "<"),
                )
                if key in value
            ]
            return " ".join([word, *bounds])
    return "any"


def record() -> str:
    """The views and their columns, asked of an empty record."""
    from sweeps.store import open_store
    from sweeps.views import connect

    about = {
        "trials": "One row a trial: what it is, how it ended, its losses.",
        "metrics": "One row a step, each step of a trial once.",
        "attempts": "One row a try at a trial: who owned it, where it ran, how it ended.",
        "plans": "One row a trial and plan: in which sweeps it is.",
    }
    parts = ["# The record", "", "`sweep query` asks these views; [Ask the results](../results.md) has recipes.", ""]
    with tempfile.TemporaryDirectory() as folder, connect(open_store(folder)) as connection:
        for view, sentence in about.items():
            parts += [f"## {view}", "", sentence, "", "| column | type |", "|---|---|"]
            rows = connection.execute(f"describe {view}").fetchall()
            parts += [f"| `{name}` | {kind.lower()} |" for name, kind, *_ in rows]
            parts.append("")
    return "\n".join(parts)


def laws() -> str:
    """Every law's card, with its published constants."""
    from analysis.catalogue import card, law_names

    parts = [
        "# Laws",
        "",
        "What `--law` takes; `fit:SWEEP` and `fit:SWEEP:LAW` are a sweep's own. "
        "Derived in [the science](../science.md).",
        "",
    ]
    for name in law_names():
        about = card(name)
        parts += [f"## {name}", "", f"**{about.formula}**", "", f"{about.source}.", ""]
        parts += [f"Expresses {about.expresses}. Cannot express {about.cannot_express}.", ""]
        for constants in about.published:
            values = ", ".join(f"{key} = {value:g}" for key, value in constants.values.items())
            parts += [f"{constants.label}: {values}. {constants.source} ({constants.mark.name.lower()}).", ""]
    return "\n".join(parts)


def exit_codes() -> str:
    from orchestrator import cli

    parts = ["# Exit codes", "", "| code | means |", "|---|---|"]
    parts += [f"| {getattr(cli, name, 0)} | {meaning} |" for name, meaning in EXIT_CODES]
    parts += ["| 130, 143 | stopped by Ctrl-C or SIGTERM; every trial saved where it stood |", ""]
    return "\n".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
