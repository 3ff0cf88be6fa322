"""The error of a job: what is stored comes back, and clients get its type and message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errand.job_error import LONGEST_MESSAGE, JobError, for_clients, read_error

TRICKY = ['","public":true}', ',"public":true}', '{"public":true}', '"', "\\", "\ud800", "", "\x00"]


@given(st.text() | st.sampled_from(TRICKY), st.text() | st.sampled_from(TRICKY), st.booleans())
def test_it_is_read_as_it_was_written(type_, message, public):
    written = JobError(type_, message, public).written()

    read = read_error(written)
    assert read.public is public
    assert len(read.message) <= LONGEST_MESSAGE
    assert json.loads(for_clients(written)) == {"type": read.type, "message": read.message}


def test_an_error_of_an_earlier_version_is_not_public():
    old = '{"type":"KeyError","message":"\'amount\'"}'

    assert read_error(old) == JobError("KeyError", "'amount'", public=False)
    assert for_clients(old) == old


@pytest.mark.parametrize("document", ["", "nonsense", "{}", "[]", "7", '{"type":1}', "null"])
def test_anything_else_is_an_error_without_a_message(document):
    assert read_error(document) == JobError("Error", "")
