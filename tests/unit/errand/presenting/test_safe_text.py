"""Text that clients wrote, made safe: line ends stay line ends, and what can't be shown is replaced."""

import pytest

from errand.presenting import safe_text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\f", "\v", "\x85", "\u2028", "\u2029"])
def test_every_kind_of_line_end_is_one(end):
    assert safe_text.clean(f"a{end}b") == "a\nb"


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x9b", "\ud800"])
def test_what_can_not_be_shown_is_replaced(character):
    assert safe_text.clean(f"a\t{character}b") == "a\t\N{REPLACEMENT CHARACTER}b"
