"""Webhook secrets and signatures, compared with the reference package of Standard Webhooks."""

import base64
import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook

from errand.errors import SettingsRefused
from errand.settings import Settings
from errand.trust.signing import new_secret, parse_keys, signatures
from tests.rules.tree import ROOT, text

SECRET, OTHER = new_secret(), new_secret()
EVENT = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11-result"
BODY = '{"grüße":1}'.encode()


def secret_of(size: int) -> str:
    return "whsec_" + base64.b64encode(b"k" * size).decode()


def headers(secrets: str, sent: int, body: bytes = BODY) -> dict[str, str]:
    signed = signatures(parse_keys(secrets), EVENT, sent, body)
    return {"webhook-id": EVENT, "webhook-timestamp": str(sent), "webhook-signature": signed}


@given(st.text())
def test_the_package_accepts_what_is_signed_here(body):
    now = int(time.time())

    Webhook(SECRET).verify(
        body.encode("utf-8", "replace"), headers(SECRET, now, body.encode("utf-8", "replace")), json_parse=False
    )


@pytest.mark.parametrize("secret", [SECRET, OTHER], ids=["new", "old"])
def test_while_secrets_change_both_verify(secret):
    Webhook(secret).verify(BODY, headers(f"{SECRET} {OTHER}", int(time.time())))


@pytest.mark.parametrize("size", [24, 64])
def test_a_secret_has_24_to_64_bytes(size):
    assert parse_keys(secret_of(size)) == [b"k" * size]


@pytest.mark.parametrize(
    "wrong",
    [secret_of(23), secret_of(65), SECRET.removeprefix("whsec_"), "whsec_", "whsec_????", SECRET + "é", f"{SECRET} x"],
    ids=["short", "long", "bare", "empty", "garbage", "accent", "second"],
)
def test_an_invalid_secret_is_refused_with_a_sentence_that_does_not_reveal_it(monkeypatch, wrong):
    monkeypatch.setenv("WEBHOOK_SECRET", wrong)

    with pytest.raises(SettingsRefused, match="WEBHOOK_SECRET: write each secret as whsec_ and the base64") as refused:
        Settings.load()

    assert not any(part.removeprefix("whsec_") in str(refused.value) for part in wrong.split() if len(part) > 10)


def test_settings_do_not_show_their_secret():
    settings = Settings(_env_file=None, webhook_secret=SECRET)

    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, webhook_secret=SECRET, port=0)
    assert SECRET not in str(refused.value)


# ---- the receiver's check in docs/webhooks.md


@pytest.fixture(scope="module")
def is_from_errand():
    [code] = re.findall(r"```python\n(.*?)```", text(ROOT / "docs" / "webhooks.md"), re.DOTALL)
    names: dict = {}
    exec(compile(code, "docs/webhooks.md", "exec"), names)
    return names["is_from_errand"]


def by_the_package(sent: int, secret: str = SECRET) -> dict[str, str]:
    signature = Webhook(secret).sign(EVENT, datetime.fromtimestamp(sent, UTC), BODY.decode())
    return {"webhook-id": EVENT, "webhook-timestamp": str(sent), "webhook-signature": signature}


def test_the_check_in_the_documentation_accepts_what_the_package_signs(is_from_errand):
    now = int(time.time())

    assert is_from_errand(SECRET, by_the_package(now), BODY)
    assert is_from_errand(SECRET, headers(f"{OTHER} {SECRET}", now), BODY)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, BODY + b" "),
        ({"webhook-id": "another"}, BODY),
        ({"webhook-timestamp": str(int(time.time()))}, BODY),
        ({"webhook-signature": "v1,"}, BODY),
        ({"webhook-signature": "v2," + "A" * 44}, BODY),
        ({"webhook-signature": ""}, BODY),
    ],
)
def test_the_check_in_the_documentation_refuses_a_changed_webhook(is_from_errand, change, body):
    assert not is_from_errand(SECRET, by_the_package(int(time.time()) - 100) | change, body)


def test_the_check_in_the_documentation_refuses_old_webhooks_and_those_of_others(is_from_errand):
    now = int(time.time())

    assert not is_from_errand(SECRET, by_the_package(now - 301), BODY)
    assert not is_from_errand(SECRET, by_the_package(now, OTHER), BODY)
