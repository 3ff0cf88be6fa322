"""The links in mails: nobody else can write one, change one, or use one for what it was not written for."""

import hmac
import time
from base64 import urlsafe_b64encode
from string import ascii_letters, digits

import pytest
from itsdangerous import Signer

from errand.errors import LinkExpired, LinkRefused
from errand.trust.links import OpenedLink, SignedLinks

ID = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"
FAR = 4_000_000_000
LINKS = SignedLinks(b"s" * 32, "https://errand.example")
ADDRESSES = ["name@email.com", "a@xn--bcher-kva.example", "o'hara+x/y=z@" + "d" * 60 + ".example", "x@" + "y" * 252]


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


JOB, UNSUBSCRIBE = token_of(LINKS.job(ID, FAR)), token_of(LINKS.unsubscribe("name@email.com"))


def test_a_link_leads_to_its_job_until_it_expires():
    assert LINKS.job(ID, FAR) == f"https://errand.example/view/{JOB}"
    assert LINKS.opened(JOB) == OpenedLink(ID, FAR)
    assert LINKS.job_of(JOB) == ID


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_link_names_the_address_whose_mails_it_ends(address):
    url = LINKS.unsubscribe(address)

    assert url.startswith("https://errand.example/unsubscribe/")
    assert LINKS.address_of(token_of(url)) == address


def test_every_process_with_the_same_secret_writes_the_same_link():
    assert SignedLinks(b"s" * 32, "https://errand.example").job(ID, FAR) == LINKS.job(ID, FAR)


def test_a_link_is_short_and_has_only_characters_that_mail_programs_keep():
    tokens = [JOB, UNSUBSCRIBE, *(token_of(LINKS.job(ID, FAR + number)) for number in range(200))]

    assert len(JOB) == 53
    assert {character for token in tokens for character in token} <= {*ascii_letters, *digits, "-", "_", "."}
    assert all(token.endswith("A") for token in tokens), "a hyphen at the end would be left out of a link in plain text"


def test_an_old_link_is_expired_and_not_refused():
    now = int(time.time())

    for expires, over in ((now - 1, True), (now, True), (now + 60, False)):
        token = token_of(LINKS.job(ID, expires))
        if over:
            with pytest.raises(LinkExpired):
                LINKS.opened(token)
        else:
            assert LINKS.job_of(token) == ID


@pytest.mark.parametrize("token", [JOB, UNSUBSCRIBE])
def test_a_link_with_one_character_changed_removed_or_added_is_refused(token):
    read = LINKS.job_of if token == JOB else LINKS.address_of
    others = [token[:at] + new + token[at + 1 :] for at in range(len(token)) for new in "Aaz9-_." if new != token[at]]
    shorter = [token[:at] + token[at + 1 :] for at in range(len(token))]
    longer = [token[:at] + new + token[at:] for at in range(len(token) + 1) for new in "A=.\n !%+/é"]

    for wrong in {*others, *shorter, *longer} - {token}:
        with pytest.raises(LinkRefused):
            read(wrong)


@pytest.mark.parametrize("wrong", ["", ".", "A.A", "None", "../../etc/passwd", "A" * 10_000, "." * 500, "é" * 53, "\0"])
def test_text_that_is_not_a_token_is_refused(wrong):
    for read in (LINKS.job_of, LINKS.address_of):
        with pytest.raises(LinkRefused):
            read(wrong)


def test_a_link_for_one_purpose_is_refused_for_the_other():
    with pytest.raises(LinkRefused):
        LINKS.address_of(JOB)
    with pytest.raises(LinkRefused):
        LINKS.job_of(UNSUBSCRIBE)
    # nor does an address that looks like a job's bytes become a link to it
    disguised = "x" * 21
    with pytest.raises(LinkRefused):
        LINKS.job_of(token_of(LINKS.unsubscribe(disguised)))


def test_a_link_signed_with_another_secret_is_refused():
    other = SignedLinks(b"t" * 32, "https://errand.example")

    with pytest.raises(LinkRefused):
        LINKS.job_of(token_of(other.job(ID, FAR)))
    with pytest.raises(LinkRefused):
        LINKS.address_of(token_of(other.unsubscribe("name@email.com")))


def test_a_link_with_an_extended_time_is_refused():
    held, _, signature = token_of(LINKS.job(ID, 1)).partition(".")
    prolonged = token_of(LINKS.job(ID, FAR)).partition(".")[0]

    with pytest.raises(LinkExpired):
        LINKS.opened(f"{held}.{signature}")
    with pytest.raises(LinkRefused):
        LINKS.opened(f"{prolonged}.{signature}")


def test_other_tokens_that_itsdangerous_signs_with_the_secret_are_refused():
    held = urlsafe_b64encode(b"x" * 21)

    for salt in (b"itsdangerous.Signer", b"cookie-session", b"errand.view"):
        with pytest.raises(LinkRefused):
            LINKS.job_of(Signer(b"s" * 32, salt).sign(held).decode())


def test_signatures_are_compared_in_constant_time(monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr("itsdangerous.signer.hmac.compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))

    LINKS.job_of(JOB)

    assert len(compared) == 1


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        SignedLinks(b"short", "https://errand.example")
