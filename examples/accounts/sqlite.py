"""SQLite's driver for greenthreads: it waits for locks and disks in C, so its statements run in threads."""

import sqlite3
from typing import Any

from eventlet import tpool


class ThreadedCursor(sqlite3.Cursor):
    """Runs each statement in a thread; its rows are then available at once."""

    def execute(self, *args: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = tpool.execute(super().execute, *args)
        return cursor

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = tpool.execute(super().executemany, *args)
        return cursor


class ThreadedConnection(sqlite3.Connection):
    """Returns such cursors, and ends transactions in a thread."""

    def cursor(self, *_: Any) -> sqlite3.Cursor:
        return super().cursor(ThreadedCursor)

    def commit(self) -> None:
        tpool.execute(super().commit)

    def rollback(self) -> None:
        tpool.execute(super().rollback)
