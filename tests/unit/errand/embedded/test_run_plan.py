"""What `make run` starts: a setting that is set to nothing is off, and one that is not set gets a value."""

import pytest

from errand.embedded.run import address, main
from errand.embedded.run_plan import plan_for
from errand.settings import Settings


@pytest.fixture(autouse=True)
def a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("EXAMPLES", "WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("where", ["environment", ".env"])
@pytest.mark.parametrize("name", ["EXAMPLES", "WEBHOOK_SECRET"])
def test_a_setting_that_is_set_to_nothing_is_off(monkeypatch, tmp_path, name, where):
    assert name in plan_for(Settings.load(), tmp_path).env

    if where == "environment":
        monkeypatch.setenv(name, "")
    else:
        (tmp_path / ".env").write_text(f"{name}=\n")

    assert name not in plan_for(Settings.load(), tmp_path).env


@pytest.mark.parametrize(("host", "url"), [("::1", "http://[::1]:5000"), ("::", "http://[::1]:5000")])
def test_an_ipv6_address_is_printed_in_brackets(host, url):
    assert address(Settings(_env_file=None, host=host)) == url


def test_a_folder_that_can_not_be_written_is_said_in_a_sentence(monkeypatch, tmp_path, capsys):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("PORT", "48123")
    monkeypatch.setattr("sys.argv", ["run", "--data", str(tmp_path / "a file" / "data")])

    assert main() == 2
    said = capsys.readouterr().err
    assert said.startswith("errand: can't use ")
    assert "Not a directory" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("secret", [None, ""])
def test_the_folder_of_the_data_is_its_users_alone(monkeypatch, tmp_path, secret):
    if secret is not None:
        monkeypatch.setenv("WEBHOOK_SECRET", secret)

    plan_for(Settings.load(), tmp_path / "data")

    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
