"""The server's surroundings: how many files may be open, whatever the system begins with."""

import logging
import resource

import pytest

from api.serving.server import allow_files, refuse_port_in_use


@pytest.fixture
def limits():
    """The limits of open files, put back afterwards: the test makes them small."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 500), hard))
    yield lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_of_open_files_is_raised_to_what_is_needed(limits):
    allow_files(600)

    assert limits() == 600


def test_a_limit_that_is_high_enough_is_left_alone(limits):
    allow_files(400)

    assert limits() == 500


def test_where_the_system_allows_less_than_is_needed_as_much_as_it_does_is_taken_and_said(monkeypatch, caplog):
    taken = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (500, 550))
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: taken.append(pair))

    with caplog.at_level(logging.WARNING):
        allow_files(600)

    assert taken == [(550, 550)]
    assert [record.action for record in caplog.records] == ["files_limited"]


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_is_refused_with_a_sentence(host, capsys):
    with pytest.raises(SystemExit) as exit:
        refuse_port_in_use(host, 5000)

    assert exit.value.code == 2
    assert capsys.readouterr().err.startswith(f"errand: HOST and PORT: can't listen on {host}:5000: ")
