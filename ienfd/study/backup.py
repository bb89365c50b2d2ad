"""A copy of a study's database: one SQLite file, whatever database the study lies in.

It is complete: in place of the database it is the study as it was. Pictures, overlays and tables are
made anew from it and from the images.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, insert, inspect, select

from ienfd.errors import EnvironmentProblem
from ienfd.study import database
from ienfd.study.config import create_private, is_shared, make_folder
from ienfd.study.models import Base

__all__ = ["back_up", "default_target"]

_MANY = 2000


def default_target(folder: Path, label: str = "") -> Path:
    """Where a backup made now lies: `backups/` in the study, named by the time (UTC)."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return folder / "backups" / f"study-{now}{label}.sqlite"


def back_up(engine: Engine, where: str, target: Path) -> None:
    """Copy a database as it is at this moment; others may go on writing.

    Parameters
    ----------
    engine : Engine
        Of the study.
    where : str
        Its database, for messages.
    target : Path
        The file to make; it is there whole or not at all.

    Raises
    ------
    EnvironmentProblem
        If it exists already, cannot be written, or the database cannot be read.
    """
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        if target.exists():
            raise FileExistsError("it exists")
        make_folder(target.parent)
        create_private(unfinished, shared=is_shared(target.parent))
        with database.database_errors(where):
            if engine.dialect.name == "sqlite":
                _copy_file(engine, unfinished)
            else:
                _copy_rows(engine, unfinished)
        _check(unfinished)
        unfinished.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise EnvironmentProblem("cannot_write", f"{target}: {error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _copy_file(engine: Engine, target: Path) -> None:
    with engine.connect() as source, closing(sqlite3.connect(target)) as copy:
        driver = source.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            raise TypeError(f"not a connection to SQLite: {driver}")
        driver.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _copy_rows(engine: Engine, target: Path) -> None:
    """Row by row into tables that the same revisions have made."""
    copy = create_engine(f"sqlite:///{target.as_posix()}")
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        with snapshot.connect() as source:
            revision = database.present_revision(source)
            if revision is None:
                return
            database.migrate(copy, revision)
            present = set(inspect(source).get_table_names())
            with copy.begin() as into:
                for table in Base.metadata.sorted_tables:
                    if table.name not in present:
                        continue
                    for rows in source.execute(select(table)).mappings().partitions(_MANY):
                        into.execute(insert(table), [dict(row) for row in rows])
    finally:
        copy.dispose()


def _check(file: Path) -> None:
    with closing(sqlite3.connect(file)) as copy:
        (said,) = copy.execute("PRAGMA integrity_check").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged: {said}")
