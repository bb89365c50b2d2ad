"""A PostgreSQL server for a trial or a test: made new, on loopback only, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

__all__ = ["USER", "find_programs", "new_database", "running_server"]

USER = "ienfd"
_DEBIAN = Path("/usr/lib/postgresql")
_PATIENCE_S = 60


def find_programs() -> Path | None:
    """Folder of `initdb` and `postgres`, None where no server is installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    return versions[-1].parent if versions else None


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server; yields its address, `host:port`.

    It refuses to run as root: then it runs as the account that its package has made.

    Raises
    ------
    RuntimeError
        If no server is installed, or it does not start.
    """
    programs = find_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed. On Debian: apt-get install postgresql")
    room = Path(tempfile.mkdtemp(prefix="ienfd-postgresql-"))
    other: dict[str, Any] = {}
    if os.name == "posix" and os.geteuid() == 0:
        other = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(room, "postgres", "postgres")
    try:
        data = room / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", USER, "--auth=trust", "-E", "UTF8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=room, **other,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "max_connections": "60",
        }  # fmt: skip
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (room / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=room, **other)
        try:
            address = f"127.0.0.1:{port}"
            _wait(address, server, room / "log")
            yield address
        finally:
            server.terminate()
            server.wait(_PATIENCE_S)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def new_database(address: str) -> str:
    """Make an empty database; returns its URL for `study.toml`."""
    name = f"study_{uuid4().hex}"
    with _connected(address) as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return f"postgresql://{address}/{name}"


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with _connected(address):
                return
        except DBAPIError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text('utf-8')}") from error
            time.sleep(0.1)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    engine = create_engine(f"postgresql+psycopg://{USER}@{address}/postgres", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
