"""A Maildir folder as the mailbox sees it."""

import os
import time

import pytest

from api.mailbox import contents
from api.mailbox.contents import summary_of
from api.mailbox.folder import MailFolder
from errand.errors import MailUnknown
from tests.support.mails import keep, letter


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mail"


def subjects(mails):
    return [summary_of(mail).subject for mail in mails]


def test_a_folder_that_is_not_there_yet_has_no_mails_until_it_is(path):
    folder = MailFolder(path)
    assert folder.listing().mails == ()

    keep(path, letter("first"))

    assert subjects(folder.listing().mails) == ["first"]


def test_the_newest_come_first_even_of_one_moment(path):
    keep(path, *(letter(f"{number}") for number in range(12)))
    for file in (path / "new").iterdir():
        os.utime(file, ns=(10**18, 10**18))

    assert subjects(MailFolder(path).listing().mails) == [f"{number}" for number in reversed(range(12))]


def test_pages_follow_each_other(path):
    keep(path, *(letter(f"{number}") for number in range(5)))
    listing = MailFolder(path).listing()

    first = listing.page(2)
    second = listing.page(2, after=first[-1].id)

    assert subjects(first + second) == ["4", "3", "2", "1"]
    assert subjects(listing.page(2, after=second[-1].id)) == ["0"]
    with pytest.raises(MailUnknown):
        listing.page(2, after="0" * 20)


def test_files_that_are_no_mails_are_not_shown(path, tmp_path):
    keep(path, letter("a mail"))
    (tmp_path / "secret").write_text("Subject: secret\n\n")
    (path / "new" / "link").symlink_to(tmp_path / "secret")
    (path / "new" / ".hidden").write_text("x")
    (path / "new" / "folder").mkdir()
    (path / "tmp" / "unfinished").write_text("x")
    os.mkfifo(path / "cur" / "pipe")

    assert subjects(MailFolder(path).listing().mails) == ["a mail"]


def test_a_mail_keeps_its_id_when_a_reader_has_marked_it_as_seen(path):
    keep(path, letter("a mail"))
    folder = MailFolder(path)
    [before] = folder.listing().mails

    before.path.rename(path / "cur" / f"{before.path.name}:2,S")

    [after] = folder.listing().mails
    assert after.id == before.id
    assert after.read()


def test_names_may_be_any_bytes(path):
    keep(path, letter("a mail"))
    [mail] = (path / "new").iterdir()
    mail.rename(os.fsdecode(os.fsencode(mail) + b"\xff<script>"))
    folder = MailFolder(path)

    assert subjects(folder.listing().mails) == ["a mail"]
    folder.clear()
    assert folder.listing().mails == ()


def test_a_mail_that_vanishes_is_unknown(path):
    keep(path, letter())
    folder = MailFolder(path)
    [mail] = folder.listing().mails
    mail.path.unlink()

    with pytest.raises(MailUnknown):
        mail.read()
    with pytest.raises(MailUnknown):
        folder.listing().find(mail.id)


def test_a_mail_is_opened_once_for_the_list_and_ten_thousand_are_listed_quickly(path, monkeypatch):
    keep(path)
    for number in range(10_000):
        (path / "new" / f"{number}.M{number}P1Q{number}.host").write_bytes(b"Subject: %d\n\nx" % number)
    folder = MailFolder(path)
    opened = []
    monkeypatch.setattr(
        contents, "OpenedMail", lambda mail, real=contents.OpenedMail: opened.append(mail) or real(mail)
    )

    for _ in range(3):
        assert subjects(folder.listing().page(50))[0] == "9999"
    assert len(opened) == 50

    for name in ("new", "cur"):
        os.utime(path / name, (1, 1))  # long ago: nothing changes any more
    folder.listing()
    began = time.monotonic()
    for _ in range(100):
        folder.listing()
    assert time.monotonic() - began < 1
