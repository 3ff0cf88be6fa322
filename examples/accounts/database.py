"""A database for a service: each call gets a session, closed after the call. `ACCOUNTS_URL` names the database."""

import os
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from examples.accounts.sqlite import ThreadedConnection
from workers.extending import DependencyProvider

URL_BY_DEFAULT = "sqlite:///.errand/accounts.sqlite"
CONNECTIONS, PATIENCE = 10, 5
"""Connections of one instance, as many as it handles calls; seconds to wait for a connection, and for a statement."""

# psycopg's own C function would block the whole process; this one waits by `select`, which eventlet has patched
os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")


def url_of(text: str) -> URL:
    """Parse the address of a database; raise ValueError if it is of an unsupported kind."""
    url = make_url(text)
    kind = url.get_backend_name()
    if kind not in {"sqlite", "postgresql"}:
        raise ValueError(f"ACCOUNTS_URL is sqlite:///… or postgresql://…, not {kind}://…")
    return url.set(drivername={"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[kind])


def engine_of(url: URL) -> Engine:
    """Return an engine that connects on first use, and lets other greenthreads run while one waits."""
    options: dict[str, Any] = {"factory": ThreadedConnection, "check_same_thread": False, "timeout": PATIENCE}
    if url.get_backend_name() == "postgresql":
        limit = f"-c statement_timeout={1000 * PATIENCE} -c lock_timeout={1000 * PATIENCE}"
        options = {"connect_timeout": PATIENCE, "tcp_user_timeout": 1000 * PATIENCE, "options": limit}
    pool = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_timeout": PATIENCE, "pool_pre_ping": True}
    return create_engine(url, connect_args=options, **pool)


class Database(DependencyProvider):
    """Injects a session with which a call reads and writes; what the call doesn't commit is rolled back."""

    def __init__(self, base: type[DeclarativeBase]) -> None:
        super().__init__()
        self._base = base
        self._url = url_of(os.environ.get("ACCOUNTS_URL") or URL_BY_DEFAULT)
        self._sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()
        self._has_tables = False

    def setup(self) -> None:
        self.engine = engine_of(self._url)  # doesn't connect yet: the database may be away

    def stop(self) -> None:
        self.engine.dispose()

    def get_dependency(self, worker_ctx: Any) -> Session:
        if not self._has_tables:
            self._make_tables()
        session = self._sessions[worker_ctx] = Session(self.engine)
        return session

    def worker_teardown(self, worker_ctx: Any) -> None:
        if session := self._sessions.pop(worker_ctx, None):
            session.close()  # rolls back what is not committed

    def _make_tables(self) -> None:
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base.metadata.create_all(self.engine)
        except DBAPIError:
            self._base.metadata.create_all(self.engine)  # another instance made them at the same time
        self._has_tables = True
