"""Headlines: jobs can be told apart by them, and they give nothing away."""

import json

import pytest

from errand.presenting.headline import headline


@pytest.mark.parametrize(
    ("operation", "arguments", "result", "words"),
    [
        ("sum", {"value": 30, "other": 10}, 40, "sum(30, 10): 40"),
        ("primes", {"n": 100}, "", "primes(100)"),
        ("div", {"value": 1.50, "other": -3}, -0.5, "div(1.5, -3): -0.5"),
        ("is_prime", {"n": 7, "fast": True}, True, "is_prime(7, true): true"),
        ("fetch", {"url": "https://example.com/?token=abc"}, {"text": "secret"}, "fetch"),
        ("statistics", {"numbers": [1, 2, 3]}, {"mean": 2}, "statistics"),
        ("text", {"n": 1}, "a text", "text(1)"),
        ("many", {"a": 1, "b": 2, "c": 3, "d": 4}, 10, "many: 10"),
        ("nothing", {}, None, "nothing"),
        ("huge", {"n": 10**30}, 10**60, "huge"),
    ],
)
def test_numbers_are_shown_and_texts_are_not(operation, arguments, result, words):
    assert headline(operation, json.dumps(arguments), json.dumps(result) if result != "" else "") == words


@pytest.mark.parametrize(
    "name", ["password", "PIN", "api_key", "accessToken", "card_number", "cvc", "iban", "salary", "client-secret"]
)
def test_beside_an_argument_whose_name_sounds_secret_no_number_is_shown(name):
    assert headline("pay", json.dumps({"amount": 5, name: 1234}), "99") == "pay"


@pytest.mark.parametrize("broken", ["", "not json", "[1]", "[" * 100_000, "null"])
def test_a_record_that_can_not_be_read_still_has_a_headline(broken):
    assert headline("sum", broken, broken) == "sum"


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("a\r\nBcc: x@y.test", "a Bcc: x@y.test"),
        ("a\u202eb\x1b[31m", "ab [31m"),
        ("", "operation"),
        ("x" * 300, "x" * 59 + "…"),
    ],
)
def test_the_name_of_an_operation_is_one_short_harmless_line(operation, words):
    assert headline(operation, "{}") == words


def test_every_digit_of_a_number_is_shown_as_it_was_written():
    assert (
        headline("sum", '{"value":1.10,"other":1e3}', "12345678901234567890") == "sum(1.10, 1e3): 12345678901234567890"
    )
