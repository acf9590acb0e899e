"""The `sweep` command: a file a command, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import importlib
import sys

import typer

from orchestrator.commands import import_

# In the order in which `sweep --help` lists them; each is a module of orchestrator/commands.
COMMANDS = (
    "init",
    "schema",
    "plan",
    "diff",
    "run",
    "watch",
    "stop",
    "retry",
    "status",
    "logs",
    "query",
    "fit",
    "recommend",
    "report",
    "serve",
    "figures",
    "export",
    "compact",
    "gc",
    "migrate",
    "doctor",
)

app = typer.Typer(
    name="sweep",
    help="How deep and how wide? Plan, run, record and understand scaling sweeps of transformers.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for name in COMMANDS:
    app.command(name=name)(importlib.import_module(f"orchestrator.commands.{name}").command)
app.add_typer(import_.app, name="import")

# Packages that only some commands need, and the extra that brings each.
EXTRAS = {
    **dict.fromkeys(("torch", "ray", "deepspeed", "tokenizers", "safetensors"), "train"),
    **dict.fromkeys(("s3fs", "fsspec"), "s3"),
}
DEFECT, REQUEST, PARTIAL, DATA, RESUMABLE = 1, 2, 3, 4, 75


def main() -> None:
    """Run one command and exit with its code (docs/site/hook.py makes the page of them)."""
    sys.exit(guarded())


def guarded() -> int:
    """The command's exit code; every error that is not a defect of ours as one message on standard error."""
    try:
        code = app(standalone_mode=False, prog_name="sweep")
    except Exception as error:
        return explain(error)
    except KeyboardInterrupt:
        return 130
    return code if isinstance(code, int) else 0


def explain(error: Exception) -> int:
    """Print what went wrong and what to do; the exit code. Imports what it compares with only now."""
    from analysis.status import FitError
    from orchestrator.failures import ClusterError
    from sweeps.record import RecordError
    from sweeps.safe_yaml import SpecError
    from sweeps.store import StoreError

    match error:
        case typer.Exit():
            return error.exit_code
        case typer.Abort():
            return 130
        case _ if hasattr(error, "show"):  # typer's own: an unknown option, a missing argument
            error.show()
            return REQUEST
        case SpecError():
            print(error, file=sys.stderr)
            return REQUEST
        case RecordError() | FitError():
            print(error, file=sys.stderr)
            return DATA
        case StoreError() | ClusterError():
            said = getattr(error, "strerror", None) or error
            print(f"{said}\nnothing is lost; give the same command again once that is mended", file=sys.stderr)
            return RESUMABLE
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f"{error.filename}: " if error.filename else ""
            print(
                f"{where}no space is left; free some, or give --results a larger disk; nothing in the record is lost: "
                f"give the same command again then",
                file=sys.stderr,
            )
            return RESUMABLE
        case ModuleNotFoundError() if (error.name or "").split(".")[0] in EXTRAS:
            extra = EXTRAS[(error.name or "").split(".")[0]]
            print(
                f"this needs the package {error.name}, which is not here: pip install 'interplay[{extra}]'; "
                f"`sweep doctor` lists all that is missing",
                file=sys.stderr,
            )
            return REQUEST
        case _:
            import traceback

            traceback.print_exception(error)
            print("this is a defect in interplay; please report it with the lines above", file=sys.stderr)
            return DEFECT
