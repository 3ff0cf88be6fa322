"""Names that look like a setting and are none get a sentence, from `.env` and from the environment."""

import pytest

from errand.setting_names import unknown_names, warn_of_unknown_names


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_mistyped_name_in_dotenv_gets_the_name_that_was_meant(own_folder, capsys):
    (own_folder / ".env").write_text("MAIL_ALOW=example.com\nport=5001\nRESULT_TTL=60\n")

    warn_of_unknown_names()

    assert capsys.readouterr().err == "errand: .env: MAIL_ALOW is not a setting of Errand; did you mean MAIL_ALLOW?\n"


def test_a_name_that_resembles_none_may_be_a_plug_ins(own_folder):
    (own_folder / ".env").write_text("VOLUME_OF_TEA=3\n")

    assert unknown_names() == [
        ".env: VOLUME_OF_TEA is not a setting of Errand; it does nothing, unless a plug-in reads it"
    ]


def test_names_of_docker_compose_in_dotenv_are_no_mistakes(own_folder):
    (own_folder / ".env").write_text("RABBITMQ_PASSWORD=x\nRABBITMQ_USER=y\nCOMPOSE_PROFILES=z\n")

    assert unknown_names() == []


def test_a_name_in_the_environment_that_is_nearly_a_setting_gets_a_sentence(monkeypatch):
    monkeypatch.setenv("WEBHOOKS_SECRET", "x")

    assert unknown_names() == ["WEBHOOKS_SECRET is not a setting of Errand; did you mean WEBHOOK_SECRET?"]


@pytest.mark.parametrize("name", ["HOSTNAME", "REDIS_PORT", "SMTP_HOST", "HEALTH_FILE", "TERM", "LIVE_PORT", "PORTS"])
def test_other_names_in_the_environment_are_none_of_our_business(monkeypatch, name):
    monkeypatch.setenv(name, "x")

    assert unknown_names() == []
