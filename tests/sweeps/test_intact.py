"""Damaged and foreign files are named and never skipped in silence; --allow-partial answers without them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweeps.asking import answer
from sweeps.intact import damaged
from sweeps.partial import without_damaged
from sweeps.record import RecordError, part_name
from sweeps.store import FolderStore, Store, open_store
from sweeps.views import connect
from tests.sweeps.records import TRIALS, attempt, planned_record

PART = part_name(TRIALS[0], 1, 4)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = planned_record(open_store(tmp_path))
    attempt(store, TRIALS[0], 1, 0, 9, "completed")
    attempt(store, TRIALS[1], 1, 0, 9, "completed")
    return store


def flipped(path: Path) -> None:
    """One bit in the first page of the losses, whose checksum then says so."""
    data = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(0)
    place = next(column.column(i) for i in range(column.num_columns) if column.column(i).path_in_schema == "loss")
    data[place.data_page_offset + place.total_compressed_size // 2 + 8] ^= 4
    path.unlink()
    path.write_bytes(data)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"trial_id": [TRIALS[0]], "loss": [1.0]}), path)


def retyped(path: Path) -> None:
    table = pq.read_table(path)
    place = table.schema.get_field_index("loss")
    pq.write_table(table.set_column(place, "loss", table.column("loss").cast(pa.string())), path)


DAMAGE = [
    (flipped, r"00000004.parquet is damaged: .*CRC checksum"),
    (truncated, r"00000004.parquet is damaged: .*[Pp]arquet"),
    (emptied, r"00000004.parquet is damaged: .*size is 0 bytes"),
    (foreign, r"00000004.parquet was not written by interplay"),
    (retyped, r"00000004.parquet has a column loss of string, which should be double"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_damaged_part_is_named(store: Store, damage: Callable[[Path], None], message: str) -> None:
    damage(Path(store.uri) / PART)
    with pytest.raises(RecordError, match=message), connect(store) as connection:
        connection.execute("select sum(loss) from metrics").fetchall()
    with pytest.raises(RecordError, match=message):
        answer(store, "select sum(loss) as s from metrics")
    assert [file for file, _ in damaged(store)] == [PART]


@pytest.mark.parametrize("damage", [damage for damage, _ in DAMAGE], ids=lambda value: value.__name__)
def test_a_partial_answer_must_be_asked_for(
    store: Store, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    damage(Path(store.uri) / PART)
    sql = "select trial_id, count(loss) as n from metrics group by 1 order by n"
    rows = answer(store, sql, allow_partial=True).to_pylist()
    assert rows == [{"trial_id": TRIALS[0], "n": 5}, {"trial_id": TRIALS[1], "n": 9}]
    assert f"left out: {store.uri}/{PART}" in capsys.readouterr().err


def test_a_whole_record_is_itself(store: Store) -> None:
    assert without_damaged(store, print) is store


def test_a_partial_record_is_not_written_to(store: Store) -> None:
    emptied(Path(store.uri) / PART)
    partial = without_damaged(store, lambda text: None)
    with pytest.raises(TypeError, match="for reading alone"):
        partial.publish("metrics/a", b"")


def test_a_damaged_plan_and_claim_are_named(store: Store, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path, whole)
    for folder in ("plans", "attempts"):
        copy = tmp_path / f"copy-{folder}"
        shutil.copytree(whole, copy)
        emptied(next((copy / folder).iterdir()))
        with (
            pytest.raises(RecordError, match=rf"{folder}/.* is damaged"),
            connect(FolderStore(copy)) as connection,
        ):
            connection.execute(f"select * from {folder}").fetchall()


def test_a_file_that_goes_away_is_no_wrong_query(store: Store) -> None:
    def too_late() -> None:
        with connect(store) as connection:
            (Path(store.uri) / PART).unlink()
            connection.execute("select sum(loss) from metrics").fetchall()

    with pytest.raises(RecordError, match=r"went away while it was being read; ask again"):
        too_late()


def test_older_and_newer_files_are_read(store: Store) -> None:
    path = Path(store.uri) / PART
    table = pq.read_table(path)
    version = dict(table.schema.metadata) | {b"interplay.schema": b"0"}
    pq.write_table(table.drop_columns(["grad_norm"]).replace_schema_metadata(version), path)
    other = Path(store.uri) / part_name(TRIALS[1], 1, 4)
    table = pq.read_table(other)
    newer = table.append_column("later", pa.array(["x"] * table.num_rows))
    pq.write_table(newer.replace_schema_metadata(version | {b"interplay.schema": b"2"}), other)
    assert answer(store, "select count(loss) as n, count(grad_norm) as g from metrics").to_pylist() == [
        {"n": 18, "g": 0}
    ]
