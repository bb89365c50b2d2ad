"""The connection to a study's database, and its tables brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NoSuchModuleError, ProgrammingError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from ienfd.errors import EnvironmentProblem, MissingExtraError, UsageError
from ienfd.study.config import StudyConfig, create_private, is_shared
from ienfd.study.place import is_on_network

__all__ = ["REVISIONS", "connect", "database_errors", "lock_writer", "migrate", "present_revision", "upgrade"]

REVISIONS = ("0001", "0002")  # oldest first; the last one is what this version works with
_BUSY_TIMEOUT_S = 30
_MIGRATING, _WRITING = 0x1E2FD, 0x1E2FE  # locks that the programs of ienfd know each other by
_MIGRATIONS = Path(__file__).parent / "migrations"


@contextmanager
def database_errors(where: str) -> Iterator[None]:
    """Say in a person's words what a database cannot do.

    Raises
    ------
    EnvironmentProblem
        In place of an error of the database or its driver.
    """
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError):
        raise  # a mistake of the program, not of the machine
    except DBAPIError as error:
        cause = str(error.orig)
        full = any(sign in cause for sign in ("full", "readonly", "read-only", "disk I/O"))
        raise EnvironmentProblem(
            "cannot_write" if full else "database_unavailable", f"{where}: {cause}"
        ) from error


def connect(config: StudyConfig) -> Engine:
    """An engine for the database of a study; the file is created for its owner only.

    Writing transactions take the lock when they begin (engine option `immediate`): one that read
    first and locks later would fail at once when somebody else wrote in between.

    Raises
    ------
    EnvironmentProblem
        If the file cannot be created.
    MissingExtraError
        If the driver of a server is not installed.
    """
    if not config.is_file:
        return _connect_server(config)
    try:
        create_private(config.file, shared=is_shared(config.folder))
    except OSError as error:
        raise EnvironmentProblem("cannot_write", f"{config.file}: {error.strerror}") from error
    engine = create_engine(f"sqlite:///{config.file.as_posix()}", connect_args={"timeout": _BUSY_TIMEOUT_S})
    on_connect = _on_connect_over_network if is_on_network(config.folder) else _on_connect
    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _connect_server(config: StudyConfig) -> Engine:
    url = make_url(config.database)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    user, password = os.environ.get("IENFD_DATABASE_USER"), os.environ.get("IENFD_DATABASE_PASSWORD")
    try:
        return create_engine(url.set(username=user, password=password), pool_pre_ping=True)
    except (ImportError, NoSuchModuleError) as error:
        install = "pip install 'ienfd[postgresql]'" if "postgresql" in url.drivername else "a driver"
        raise MissingExtraError("extra_missing", f"{url.drivername}: {install}") from error


def _on_connect(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    _set_up(connection, "journal_mode = WAL")


def _on_connect_over_network(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """No write-ahead log, which needs shared memory; who has written keeps the others out to the end."""
    _set_up(connection, "journal_mode = DELETE", "locking_mode = EXCLUSIVE")


def _set_up(connection: sqlite3.Connection, *settings: str) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own; _on_begin does
    cursor = connection.cursor()
    for setting in ("foreign_keys = ON", f"busy_timeout = {_BUSY_TIMEOUT_S * 1000}", *settings):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def upgrade(engine: Engine, config: StudyConfig) -> None:
    """Bring the tables up to date; before anything is changed a backup is made in `backups/`.

    Raises
    ------
    UsageError
        If the study was written by a newer version.
    EnvironmentProblem
        If the database cannot be used, or the backup not be written.
    """
    with database_errors(config.where):
        with engine.connect() as connection:
            present = present_revision(connection)
        if present == REVISIONS[-1]:
            return
        if present is not None and present not in REVISIONS:
            raise UsageError("study_newer", f"{config.where}: revision {present}")
    if present is not None:
        from ienfd.study.backup import back_up, default_target

        back_up(engine, config.where, default_target(config.folder, f"-before-{REVISIONS[-1]}"))
    with database_errors(config.where):
        migrate(engine, REVISIONS[-1])


def migrate(engine: Engine, revision: str) -> None:
    """Run the revisions up to this one, in one transaction."""
    from alembic import command
    from alembic.config import Config

    with engine.execution_options(immediate=True).begin() as connection:
        if connection.dialect.name == "postgresql":  # two programs may open a new study at once
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        settings: Any = Config()
        settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def lock_writer(session: Session) -> None:
    """Let one transaction at a time write to a study; SQLite's `BEGIN IMMEDIATE` has done that already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITING})


def present_revision(connection: Connection) -> str | None:
    """The revision that a database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
