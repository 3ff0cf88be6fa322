"""The accounts of users, in a database."""

from typing import Any

from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from examples.accounts.database import Database
from workers.extending import rpc

LONGEST = 50
"""Maximum characters of a name."""


class Base(DeclarativeBase):
    """The base of the tables."""


class User(Base):
    """A user; every name is unique."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(LONGEST), unique=True)


class UnknownUser(Exception):
    """There is no such user."""


class UsernameRefused(Exception):
    """This is not a username."""


class AccountsService:
    """Adds users and returns their names."""

    name = "accounts_service"
    session = Database(Base)

    @rpc(expected_exceptions=UnknownUser)
    def get_username(self, user_id: Any) -> str:
        # a client may send anything; only an integer reaches the database, and as a parameter
        user = self.session.get(User, user_id) if type(user_id) is int and 0 < user_id < 2**31 else None
        if user is None:
            raise UnknownUser(f"There is no user {user_id!r:.80}.")
        return user.username

    @rpc(expected_exceptions=UsernameRefused)
    def add_user(self, username: Any) -> int:
        if not (isinstance(username, str) and username.isprintable() and 0 < len(username.strip()) <= LONGEST):
            raise UsernameRefused(f"A username is a text of 1 to {LONGEST} characters that can be printed.")
        user = User(username=username.strip())
        self.session.add(user)
        try:
            self.session.commit()  # here: after the call, a failure would come too late for the caller
        except IntegrityError:  # the name exists: adding a user twice has the effect of adding once
            self.session.rollback()
            user = self.session.scalars(select(User).filter_by(username=user.username)).one()
        return user.id
