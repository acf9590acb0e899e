"""The inside of the box (sweeps/asking.py): a request as JSON on standard input, the answer as an Arrow stream on
standard output; exit code 2 and a message for what is refused, 4 where the record is damaged."""

from __future__ import annotations

import json
import resource
import sys

import duckdb
import pyarrow as pa

from sweeps.intact import name_the_damage
from sweeps.partial import without_damaged
from sweeps.record import RecordError
from sweeps.safe_yaml import SpecError
from sweeps.store import Store, open_store
from sweeps.views import VIEWS, connect

OVERHEAD_MB = 1500  # what Python, Arrow and DuckDB map before the first row


def main() -> int:
    request = json.load(sys.stdin)
    limit = (request["memory_mb"] + OVERHEAD_MB) << 20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        store = open_store(request["uri"])
        if request["allow_partial"]:
            store = without_damaged(store, say=lambda text: print(text, file=sys.stderr))
        table = ask(store, request["sql"], request["memory_mb"])
    except SpecError as refused:
        print(refused, file=sys.stderr)
        return 2
    except RecordError as damaged:
        print(damaged, file=sys.stderr)
        return 4
    with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
        stream.write_table(table)
    return 0


def ask(store: Store, sql: str, memory_mb: int) -> pa.Table:
    """Answer one SELECT. Raises SpecError for anything else and for what DuckDB refuses, RecordError for damage."""
    with connect(store) as connection:
        lock(connection, memory_mb)
        try:
            statements = connection.extract_statements(sql)
        except duckdb.Error as error:
            raise SpecError(f"this is not SQL: {first_lines(error)}") from None
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
            raise SpecError(f"a query is one SELECT over the views {', '.join([*VIEWS, 'plans'])}; this is {kinds}")
        try:
            return connection.sql(sql).to_arrow_table()
        except (duckdb.OutOfMemoryException, MemoryError):
            raise SpecError(f"the query needs more than {memory_mb} MB of memory; narrow it down") from None
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.PermissionException) as error:
            raise SpecError(f"the query was refused: {first_lines(error)}") from None
        except duckdb.Error as error:
            name_the_damage(store, error)
            raise SpecError(f"the query was refused: {first_lines(error)}") from None


def lock(connection: duckdb.DuckDBPyConnection, memory_mb: int) -> None:
    """No files, no network, no extensions, no Python variables, no way back."""
    for setting in (
        f"memory_limit = '{memory_mb}MB'",
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
    return " ".join(line for line in str(error).splitlines() if line.strip(" ^") and not line.startswith("LINE"))[:500]


if __name__ == "__main__":
    sys.exit(main())
