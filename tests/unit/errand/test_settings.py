"""Settings: read once, and refused with a sentence that names the variable."""

import pytest

from errand.errors import SettingsRefused
from errand.settings import Settings


@pytest.fixture(autouse=True)
def no_dotenv(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "http"),
        ("AMQP_URI", "localhost:5672"),
        ("AMQP_URI", "http://localhost"),
        ("REDIS_URL", "amqp://localhost"),
        ("SMTP_URL", "mail.example.com"),
        ("RESULT_TTL", "-1"),
        ("LEASE_SECONDS", "0"),
        ("KEY_PREFIX", "a b"),
        ("LOG_LEVEL", "LOUD"),
        ("HOST", "http://127.0.0.1"),
        ("HOST", "localhost:5000"),
        ("HOST", "[::1]"),
        ("PUBLIC_URL", "example.org"),
        ("AMQP_URI", "amqp://guest:guest@127.0.0.1:567200//"),
        ("AMQP_URI", "amqp://one:5672//;two:5672//"),
        ("AMQP_URI", "amqp://user:pass/word@host:5672//"),
        ("REDIS_URL", "redis://127.0.0.1:99999/0"),
        ("REDIS_URL", "redis://127.0.0.1:6379/jobs"),
        ("REDIS_URL", "redis://::1:6379/0"),
        ("REDIS_URL", "redis://127.0.0.1: 6379/0"),
        ("REDIS_URL", "unix://"),
        ("SMTP_URL", "smtp://mail.example.com:0"),
        ("MAIL_ALLOW", "example.com, not a domain"),
        ("MAIL_TEMPLATES", __file__),
        ("MAILBOX", __file__),
        ("MAILBOX", "x" * 5000),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("TRUSTED_PROXIES", "127.0.0.1:80"),
        ("OPERATIONS", "workers.operations, my-operations"),
        ("EXAMPLES", "examples/greeting"),
        ("WEB_SERVER_ADDRESS", "127.0.0.1:99999"),
        ("WEB_SERVER_ADDRESS", "http://127.0.0.1:8000"),
        ("GUARD_ALLOW", "10.0.0.1/8"),
        ("JOB_MEMORY", "1" + "0" * 30),
        ("JOB_TIMEOUT", "nan"),
        ("JOB_TIMEOUT", "inf"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsRefused, match=f"^{name}: "):
        Settings.load()


def test_a_refusal_never_quotes_the_value_which_may_be_a_password(monkeypatch):
    monkeypatch.setenv("SMTP_URL", "user:secret@mail")

    with pytest.raises(SettingsRefused) as refusal:
        Settings.load()

    assert "secret" not in refusal.value.detail


def test_an_entry_point_ends_with_a_sentence_and_status_2(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "99999")

    with pytest.raises(SystemExit) as exit:
        Settings.load_or_exit()

    assert exit.value.code == 2
    assert capsys.readouterr().err.startswith("errand: PORT: ")


def test_settings_do_not_change_once_read():
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().port = 1


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    monkeypatch.setenv("PORT", "")

    assert Settings.load().port == 5000


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:5000"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]:5000"),
        ("127.0.0.1", "http://127.0.0.1:5000"),
        ("example.com", "http://example.com:5000"),
        ("0.0.0.0", "http://127.0.0.1:5000"),
        ("::", "http://[::1]:5000"),
    ],
)
def test_an_ipv6_address_is_in_brackets_in_every_link(host, url):
    assert Settings(_env_file=None, host=host).base_url == url


def test_settings_that_can_not_be_read_are_refused_with_a_sentence(tmp_path, monkeypatch):
    def unreadable(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", ".env")

    (tmp_path / ".env").write_text("PORT=5001\n")
    monkeypatch.setattr("pydantic_settings.sources.providers.dotenv.dotenv_values", unreadable)

    with pytest.raises(SettingsRefused, match=r"^\.env: can't be read: Permission denied$"):
        Settings.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AMQP_URI", "amqp://guest:guest@one:5672//;amqp://guest:guest@two:5672//"),
        ("AMQP_URI", "amqps://u%40:p%2F@[::1]:5671/vhost"),
        ("AMQP_URI", "redis://127.0.0.1:6379/1"),
        ("REDIS_URL", "rediss://:secret@store.example.com"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("SMTP_URL", "smtp://user%40example.com:p%23@mail.example.com:587"),
        ("HOST", "fe80::1%eth0"),
        ("HOST", "api_1.internal"),
        ("WEB_SERVER_ADDRESS", "8000"),
        ("WEB_SERVER_ADDRESS", "0.0.0.0:0"),
        ("EXAMPLES", " examples.greeting , examples.live, "),
    ],
)
def test_every_form_of_a_setting_that_works_is_kept_as_it_is(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    assert getattr(Settings.load(), name.lower()) == value


def test_links_begin_with_the_public_url_and_paths_with_its_path():
    settings = Settings(_env_file=None, host="0.0.0.0", public_url="https://Bücher.example/errand/")

    assert settings.base_url == "https://xn--bcher-kva.example/errand"
    assert settings.public_path == "/errand"
