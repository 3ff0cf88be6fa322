"""What `make run` says when the API can't listen where the settings tell it to."""

import errno
import os
import socket

import pytest

from errand.embedded import address_check
from errand.embedded.address_check import why_not_listening
from errand.process.ports import LOCALHOST, any_free_port


def test_a_free_port_is_no_reason():
    assert why_not_listening(LOCALHOST, any_free_port()) is None


def test_a_port_in_use_is_named_with_a_command_that_works():
    with socket.create_server((LOCALHOST, 0)) as server:
        port = server.getsockname()[1]
        sentence = why_not_listening(LOCALHOST, port)

    assert sentence.startswith(f"port {port} is in use; ")
    other = int(sentence.rpartition("PORT=")[2].removesuffix(" make run"))
    assert other != port
    assert why_not_listening(LOCALHOST, other) is None


def test_a_port_for_root_is_not_called_in_use(monkeypatch):
    # root may listen on any port, so the system's answer to other users is given to it here
    monkeypatch.setattr(
        address_check, "why_not_free", lambda *_: PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    )

    sentence = why_not_listening(LOCALHOST, 80)

    assert sentence.startswith("port 80 is not for this user; choose another port: PORT=")
    assert int(sentence.rpartition("PORT=")[2].removesuffix(" make run")) >= 1024


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("192.0.2.1", "HOST: can't listen on 192.0.2.1: Cannot assign requested address"),
        ("nowhere.invalid", "HOST: nowhere.invalid can't be found: "),
    ],
)
def test_a_host_that_is_not_this_machine_is_said(host, sentence):
    assert why_not_listening(host, 5000).startswith(sentence)
