"""An analyst's SQL over the record, in a box: one SELECT, bounded in time and memory, that reaches only the views."""

from __future__ import annotations

import threading

import duckdb
import pyarrow as pa

from sweeps.safe_yaml import SpecError
from sweeps.store import Store
from sweeps.views import VIEWS, connect

SECONDS = 300.0
MEMORY = "4GB"


def answer(store: Store, sql: str, *, seconds: float = SECONDS, memory: str = MEMORY) -> pa.Table:
    """The answer to one SELECT. Raises SpecError for anything else, for what the box refuses, and past its limits."""
    with connect(store) as connection:
        lock(connection, memory)
        try:
            statements = connection.extract_statements(sql)
        except duckdb.Error as error:
            raise SpecError(f"this is not SQL: {first_lines(error)}") from None
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
            raise SpecError(f"a query is one SELECT over the views {', '.join([*VIEWS, 'plans'])}; this is {kinds}")
        timer = threading.Timer(seconds, connection.interrupt)
        timer.start()
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.InterruptException:
            raise SpecError(f"the query took longer than {seconds:g} s and was stopped; narrow it down") from None
        except duckdb.OutOfMemoryException:
            raise SpecError(f"the query needs more than {memory} of memory; narrow it down") from None
        except duckdb.Error as error:
            raise SpecError(f"the query was refused: {first_lines(error)}") from None
        finally:
            timer.cancel()


def lock(connection: duckdb.DuckDBPyConnection, memory: str) -> None:
    """No files, no network, no extensions, no Python variables, no way back."""
    for setting in (
        f"memory_limit = '{memory}'",
        "temp_directory = ''",
        "python_enable_replacements = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")


def first_lines(error: Exception) -> str:
    """What DuckDB says, without its drawing of the place."""
    return " ".join(line for line in str(error).splitlines() if line.strip() and not line.startswith("LINE"))[:500]
