"""MAIL_FROM: one address, with or without a name."""

from email.headerregistry import Address

import pytest

from errand.errors import SettingsRefused
from workers.mail.writing.mail_from import read_mail_from


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("errand@errand.test", ""),
        ("Errand <errand@errand.test>", "Errand"),
        ('"Errand, Ltd." <errand@errand.test>', "Errand, Ltd."),
    ],
)
def test_an_address_is_read_with_its_name(setting, name):
    assert read_mail_from(setting) == Address(name, addr_spec="errand@errand.test")


@pytest.mark.parametrize("setting", ["", "Errand", "Errand <errand@>", "a@b.test\nBcc: c@d.test", "a@b.test, c@d.test"])
def test_anything_but_one_address_is_refused(setting):
    with pytest.raises(SettingsRefused, match="MAIL_FROM"):
        read_mail_from(setting)
