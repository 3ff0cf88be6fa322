"""Integration tests of a session for each call, closed after it: in containers of nameko's, on a real database."""

import pytest
from nameko.testing.services import entrypoint_hook
from nameko.testing.utils import get_extension

from examples.accounts.database import Database
from examples.accounts.service import AccountsService, Base, User
from workers.extending import rpc

SESSIONS: list = []


class Careless:
    """Does with its session what a method should not."""

    name = "careless"
    session = Database(Base)

    @rpc
    def fail(self) -> None:
        self._add("failed")
        raise ZeroDivisionError

    @rpc
    def forget_to_commit(self) -> None:
        self._add("forgotten")

    def _add(self, username: str) -> None:
        SESSIONS.append(self.session)
        self.session.add(User(username=f"{username} {len(SESSIONS)}"))
        self.session.flush()


@pytest.fixture
def careless(container_factory, rabbit_config):
    SESSIONS.clear()
    container = container_factory(Careless, rabbit_config)
    container.start()
    yield container
    database = get_extension(container, Database)
    assert database.engine.pool.checkedout() == 0
    container.stop()


@pytest.fixture
def accounts(container_factory, rabbit_config):
    container = container_factory(AccountsService, rabbit_config)
    container.start()
    return container


def test_a_name_is_found_by_its_id(accounts) -> None:
    with entrypoint_hook(accounts, "add_user") as add_user, entrypoint_hook(accounts, "get_username") as get_username:
        assert get_username(add_user("Ada")) == "Ada"


@pytest.mark.parametrize("method", ["fail", "forget_to_commit"])
def test_what_a_call_does_not_commit_is_not_there_afterwards(careless, method: str) -> None:
    with entrypoint_hook(careless, method) as call:
        if method == "fail":
            with pytest.raises(ZeroDivisionError):
                call()
        else:
            call()

    (session,) = SESSIONS
    assert not session.in_transaction()
    assert session.query(User).filter(User.username.like("f%")).count() == 0
    session.close()


def test_each_call_has_a_session_of_its_own(careless) -> None:
    with entrypoint_hook(careless, "forget_to_commit") as call:
        for _ in range(3):
            call()

    assert len(set(map(id, SESSIONS))) == 3
    assert not any(session.in_transaction() for session in SESSIONS)
