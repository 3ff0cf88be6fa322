"""Unit tests of a service with a database: its session is replaced by one of a database in memory."""

from collections.abc import Iterator

import pytest
from nameko.testing.services import worker_factory
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from examples.accounts.service import AccountsService, Base, UnknownUser, User, UsernameRefused


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_a_user_has_a_name(session: Session) -> None:
    session.add(User(id=7, username="Ada"))

    assert worker_factory(AccountsService, session=session).get_username(7) == "Ada"


def test_nobody_has_an_id_that_was_not_given(session: Session) -> None:
    with pytest.raises(UnknownUser, match="There is no user 7"):
        worker_factory(AccountsService, session=session).get_username(7)


def test_who_is_there_already_keeps_the_id(session: Session) -> None:
    service = worker_factory(AccountsService, session=session)

    assert service.add_user("Ada") == service.add_user("Ada") != service.add_user("Grace")


def test_nobody_is_called_nothing(session: Session) -> None:
    with pytest.raises(UsernameRefused):
        worker_factory(AccountsService, session=session).add_user(" ")
