"""Mail addresses: their form, and the operator's allow-list."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from errand.errors import SettingsRefused
from errand.settings import Settings
from errand.trust.recipients import is_allowed, not_allowed_message, parse_domains
from schemas.address import EMAIL_PATTERN, FOREIGN_MAILBOX, NO_ADDRESS, NO_HOST, as_address, is_address
from schemas.recipients import MOST_RECIPIENTS, Notify, Recipients

WORLDLY = {
    "name@bücher.example": "name@xn--bcher-kva.example",
    "Na.me+x@BÜCHER.Example": "Na.me+x@xn--bcher-kva.example",
    "name@例え.テスト": "name@xn--r8jz45g.xn--zckzah",
    "name@faß.de": "name@xn--fa-hia.de",
    "name@ex。ample.com": "name@ex.ample.com",
    "name@ＥＸＡＭＰＬＥ.com": "name@example.com",
    "name@مثال.إختبار": "name@xn--mgbh0fb.xn--kgbechtv",
}
NONE = {
    "náme@email.com": FOREIGN_MAILBOX,
    "name@☃.net": NO_HOST,
    "name@😀.com": NO_HOST,
    "name@ü\u202e.com": NO_HOST,
    "name@\u00ad.com": NO_HOST,
    "name@-ü.com": NO_ADDRESS,
    "name@ü-.com": NO_ADDRESS,
    "name@ü..com": NO_ADDRESS,
    "name@ü.com.": NO_ADDRESS,
    "name@ü.com\n": NO_ADDRESS,
    "name@ü.com\r\nBcc: other@email.com": NO_ADDRESS,
    "name@ü.com, other@email.com": NO_ADDRESS,
    "name@" + "ü" * 64 + ".com": NO_ADDRESS,
    "name@" + ".".join(["üä"] * 60): NO_HOST,
    "name@" + "".join(map(chr, range(0x4E00, 0x5800, 64))): NO_HOST,
    "name@" + "ü" * 100_000: NO_ADDRESS,
    "name": NO_ADDRESS,
    "": NO_ADDRESS,
}


@pytest.mark.parametrize(("told", "kept"), WORLDLY.items())
def test_a_host_of_any_script_is_kept_as_dns_has_it(told, kept):
    assert as_address(told) == kept
    assert is_address(kept)
    assert as_address(kept) == kept
    assert re.search(EMAIL_PATTERN, told), "as the API document says"
    assert not is_address(told) or told == kept


@pytest.mark.parametrize(("told", "sentence"), NONE.items(), ids=lambda text: ascii(text[:30]))
def test_an_invalid_address_is_refused_with_a_sentence(told, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        as_address(told)


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("name@email.com", ["name@email.com"]),
        (["name@email.com"], ["name@email.com"]),
        (["b@email.com", "a@bücher.example"], ["b@email.com", "a@xn--bcher-kva.example"]),
        ([f"{n}@email.com" for n in range(10)], [f"{n}@email.com" for n in range(MOST_RECIPIENTS)]),
    ],
)
def test_one_address_or_a_list_is_accepted(email, kept):
    assert TypeAdapter(Recipients).validate_python(email) == tuple(kept)


@pytest.mark.parametrize(
    ("email", "places"),
    [
        ("nobody", [()]),
        (None, [()]),
        (30, [()]),
        (b"name@email.com", [()]),
        ({"a": "name@email.com"}, [()]),
        ([], [()]),
        ([f"{n}@email.com" for n in range(MOST_RECIPIENTS + 1)], [()]),
        (["name@email.com", "nobody", None, 1, ["a@email.com"]], [(1,), (2,), (3,), (4,)]),
        (["name@email.com", "NAME@Email.com"], [(1,)]),
        (["name@bücher.example", "name@BÜCHER.example"], [(1,)]),
        (["name@email.com other@email.com"], [(0,)]),
        (["name@email.com\n"], [(0,)]),
    ],
)
def test_each_wrong_address_of_a_list_is_refused_at_its_place(email, places):
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(Recipients).validate_python(email)

    assert [error["loc"] for error in refusal.value.errors()] == places


def test_the_same_occasions_in_another_order_are_equal():
    wishes = [["failed", "accepted"], ["accepted", "failed"]]

    assert {str(Notify.model_validate({"on": wish})) for wish in wishes} == {"on=['accepted', 'failed']"}


@pytest.mark.parametrize(
    ("allow", "address", "answer"),
    [
        ("", "name@anywhere.example", True),
        ("example.com", "name@example.com", True),
        ("Example.COM", "name@EXAMPLE.com", True),
        ("example.com", "name@sub.example.com", False),
        ("example.com", "name@notexample.com", False),
        ("example.com", "example.com@evil.example", False),
        (".example.com", "name@sub.example.com", True),
        (".example.com", "name@a.b.example.com", True),
        (".example.com", "name@example.com", False),
        (".example.com", "name@notexample.com", False),
        ("one.example, .two.example ,,three.example", "name@x.two.example", True),
        ("bücher.example", "name@xn--bcher-kva.example", True),
        (".bücher.example", "name@sub.xn--bcher-kva.example", True),
        ("localhost", "name@localhost", True),
    ],
)
def test_an_address_is_allowed_by_its_domain(allow, address, answer):
    assert is_allowed(address, parse_domains(allow)) is answer


@pytest.mark.parametrize(
    "allow", ["*", "*.example.com", "a b", "name@example.com", "..example.com", ".", "☃.net", "-a"]
)
def test_an_invalid_domain_is_refused_at_the_start(allow, monkeypatch):
    monkeypatch.setenv("MAIL_ALLOW", allow)

    with pytest.raises(SettingsRefused, match=r"^MAIL_ALLOW: .* host name"):
        Settings.load()


def test_a_long_list_of_domains_is_cut_off_in_the_message():
    assert not_allowed_message(parse_domains("a.example,b.example")).endswith("are a.example, b.example")
    assert not_allowed_message(parse_domains(",".join("abcdefg"))).endswith("are a, b, c, d, e…")
