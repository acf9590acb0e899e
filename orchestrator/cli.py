"""The `sweep` command: a file a command, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import sys

import typer

from orchestrator.commands import (
    compact,
    doctor,
    export,
    figures,
    fit,
    gc,
    import_,
    migrate,
    plan,
    query,
    recommend,
    report,
    run,
    serve,
    status,
)

app = typer.Typer(
    name="sweep",
    help="How deep and how wide? Plan, run, record and understand scaling sweeps of transformers.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (plan, run, status, query, fit, recommend, report, serve, figures, export, doctor, compact, gc, migrate):
    app.command(name=module.__name__.rsplit(".", 1)[1].rstrip("_"))(module.command)
app.add_typer(import_.app, name="import")

DEFECT, REQUEST, PARTIAL, DATA, RESUMABLE = 1, 2, 3, 4, 75


def main() -> None:
    """Run one command and exit with its code (docs/reference: exit codes)."""
    sys.exit(guarded())


def guarded() -> int:
    """The command's exit code; every error that is not a defect of ours as one message on standard error."""
    try:
        code = app(standalone_mode=False)
    except Exception as error:
        return explain(error)
    except KeyboardInterrupt:
        return 130
    return code if isinstance(code, int) else 0


def explain(error: Exception) -> int:
    """Print what went wrong and what to do; the exit code. Imports what it compares with only now."""
    from analysis.status import FitError
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
        case StoreError():
            print(f"the store failed, and the run can be resumed: {error}", file=sys.stderr)
            return RESUMABLE
        case _:
            import traceback

            traceback.print_exception(error)
            print("this is a defect in interplay; please report it with the lines above", file=sys.stderr)
            return DEFECT
