"""`examples/accounts/` as its row in the issue has it, on SQLite and PostgreSQL: names by ids, and whatever is sent."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from errand.errors import ServiceFailed
from tests.support.plugins import Instances, cluster_on, instances
from tests.support.ports import free_port
from tests.support.stack import running
from tests.support.tutorial import follow_tutorial

ACCOUNTS = "examples.accounts"
INJECTIONS = ["1 OR 1=1", "1; DROP TABLE users", "' OR ''='", "1'--", "%", "0x1", "\x00", "\ud800", "Ada", ""]
NO_IDS = [*INJECTIONS, 0, -1, 2, 2**31, 2**64, 1.0, True, None, [1], {"id": 1}]
Locked = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["sqlite", "postgresql"])
def accounts_url(request, tmp_path: Path) -> str:
    """The address of a database that no other test uses, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/accounts.sqlite"
    return request.getfixturevalue("postgres").fresh_url()


@pytest.fixture
def env(env: dict[str, str], valkey, accounts_url: str) -> dict[str, str]:
    """All servers of one test."""
    return {**env, "AMQP_URI": valkey.fresh_url(), "ACCOUNTS_URL": accounts_url}


@pytest.fixture
def here(env: dict[str, str], tmp_path: Path) -> Iterator[Instances]:
    # greetings are in the same process, to see whether it goes on
    with instances(tmp_path, env, f"{ACCOUNTS},examples.greeting") as here:
        yield here


@pytest.fixture
def locked(accounts_url: str) -> Locked:
    """Have the table of users belong to somebody else for the time of a `with`."""

    @contextmanager
    def locked() -> Iterator[None]:
        if accounts_url.startswith("sqlite"):
            connection = sqlite3.connect(accounts_url.removeprefix("sqlite:///"))
            connection.execute("BEGIN EXCLUSIVE")
        else:
            connection = psycopg.connect(accounts_url)
            connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()
        connection.close()

    return locked


def test_users_have_names_and_what_is_no_id_is_no_user(here: Instances, env) -> None:
    first = here.start("accounts_service")
    with cluster_on(env["AMQP_URI"], timeout=60) as n:
        ada = n.accounts_service.add_user("Ada")

        assert n.accounts_service.get_username(ada) == "Ada"
        for no_id in NO_IDS:
            with pytest.raises(ServiceFailed) as unknown:
                n.accounts_service.get_username(no_id)
            assert unknown.value.type == "UnknownUser", no_id
        for no_name in ["", " ", "x" * 51, "a\x00b", "\ud800", "two\nlines", None, 5, ["Ada"]]:
            with pytest.raises(ServiceFailed) as refused:
                n.accounts_service.add_user(no_name)
            assert refused.value.type == "UsernameRefused", no_name

        bobby = n.accounts_service.add_user("Robert'); DROP TABLE users;--")
        assert n.accounts_service.add_user(" Ada ") == ada != bobby
        assert first.stop() == 0
        here.start("accounts_service")
        assert n.accounts_service.get_username(ada) == "Ada"
        assert n.accounts_service.get_username(bobby) == "Robert'); DROP TABLE users;--"


def test_instances_that_start_at_once_and_add_the_same_users_agree(here: Instances, env) -> None:
    for _ in range(2):
        here.start("accounts_service")
    names = [f"user {number}" for number in range(10)] * 3

    with cluster_on(env["AMQP_URI"], timeout=60) as n:
        calls = [n.accounts_service.add_user.call_async(name) for name in names]
        ids = [call.result() for call in calls]

    assert len(set(ids)) == 10
    assert ids == ids[:10] * 3


def test_while_calls_wait_for_the_database_others_go_on(here: Instances, env, locked: Locked) -> None:
    here.start("accounts_service", "helloworld", listening=2)
    with cluster_on(env["AMQP_URI"], timeout=60) as n:
        ada = n.accounts_service.add_user("Ada")
        with locked():
            waiting = [n.accounts_service.get_username.call_async(ada) for _ in range(9)]
            with cluster_on(env["AMQP_URI"], timeout=4) as m:  # the database's own limit is 5 s
                assert [m.helloworld.hello(name="John") for _ in range(3)] == ["Hello, John!"] * 3

        assert [call.result() for call in waiting] == ["Ada"] * 9


@pytest.mark.parametrize("accounts_url", ["postgresql"], indirect=True)  # the README is followed on SQLite
def test_over_http_a_user_is_added_and_asked_for_and_a_database_that_is_away_is_503(env, tmp_path: Path) -> None:
    def nothing(_stack) -> None:
        """Start what is wanted below."""

    with running(tmp_path, env | {"EXAMPLES": ACCOUNTS}, nothing) as stack:
        stack.api.start()
        service = stack.worker("accounts_service").start()
        try:
            added = stack.post("/accounts", {"username": "Ada"})
            assert (added.status_code, added.json()) == (201, {"id": 1, "username": "Ada"})
            assert stack.get(added.headers["Location"]).json() == added.json()
            for injection in INJECTIONS:
                if injection.isprintable() and injection:
                    answer = stack.get(f"/accounts/{quote(injection, safe='')}")
                    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
                    assert answer.json()["detail"] == f"There is no user {injection!r}."
            assert stack.get(f"/accounts/{'9' * 5000}").status_code == 404
            for body in ([], {}, {"username": 5}, {"username": "a\x00b"}):
                refused = stack.post("/accounts", body)
                assert refused.status_code == 422
                assert "1 to 50 characters" in refused.json()["detail"]
        finally:
            service.stop()

        away = stack.worker("accounts_service")
        away.env["ACCOUNTS_URL"] = f"postgresql://somebody:swordfish@127.0.0.1:{free_port()}/accounts"
        away.start()
        try:
            answer = stack.get("/accounts/1")
            assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
            assert "swordfish" not in answer.text
            assert "users" not in answer.text
            assert away.running
        finally:
            away.stop()


@pytest.mark.parametrize("accounts_url", ["postgresql"], indirect=True)
def test_a_database_that_hangs_is_a_slow_service_and_all_is_well_afterwards(here: Instances, env, postgres) -> None:
    here.start("accounts_service", "helloworld", listening=2)
    with cluster_on(env["AMQP_URI"], timeout=60) as n:
        ada = n.accounts_service.add_user("Ada")
        with postgres.hanging():
            waiting = [n.accounts_service.get_username.call_async(ada) for _ in range(5)]
            assert n.helloworld.hello(name="John") == "Hello, John!"

        assert [call.result() for call in waiting] == ["Ada"] * 5

        postgres.stop()
        with pytest.raises(ServiceFailed, match="OperationalError"):
            n.accounts_service.get_username(ada)
        postgres.start()
        assert n.accounts_service.get_username(ada) == "Ada"


@pytest.mark.parametrize("accounts_url", ["sqlite"], indirect=True)
def test_another_kind_of_database_is_refused_at_the_start(here: Instances) -> None:
    with pytest.raises(AssertionError, match="status 2") as refused:
        here.start("accounts_service", ACCOUNTS_URL="mysql://somebody:swordfish@127.0.0.1/accounts")

    assert "ACCOUNTS_URL is sqlite:///… or postgresql://…, not mysql://…" in str(refused.value)
    assert "swordfish" not in str(refused.value)


def test_each_call_has_a_session_as_the_tutorials_test_it(env) -> None:
    follow_tutorial("accounts_integration.py", env)


def test_without_any_server_the_service_is_tested_on_a_session_in_memory() -> None:
    follow_tutorial("accounts_unit.py", {})
