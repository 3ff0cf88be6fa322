"""Names of methods and classes in the API document: readable, unique, and of letters and digits only."""

import re

import pytest

from api.docs.names import UniqueNames, camel, pascal


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("primes", "Primes"),
        ("csv_summary", "CsvSummary"),
        ("crm.sync-all", "CrmSyncAll"),
        ("parseURL", "ParseURL"),
        ("", ""),
        ("…", ""),
    ],
)
def test_words_are_joined_with_capitals(text, name):
    assert pascal(text) == name
    assert camel(text) == name[:1].lower() + name[1:]


def test_a_name_of_letters_is_kept_and_its_forms_are_taken():
    names = UniqueNames(["Job"])

    assert names.claim("primes", "{}Job", "run{}") == "Primes"
    assert names.claim_first("runPrimes", "runPrimesTwo") == "runPrimesTwo"


@pytest.mark.parametrize(
    ("taken", "text", "forms"),
    [
        (["JobRequest"], "job", ("{}Request",)),  # the operation `job`, and the body of any job
        (["runOperation"], "operation", ("run{}",)),
        (["CSVResult"], "csv", ("{}Result",)),  # files are named by it, and not all file systems see a difference
        ([], "größe", ("{}",)),
        ([], "3d", ("{}",)),
        ([], "日本", ("{}",)),
    ],
)
def test_where_a_name_is_taken_or_not_plain_it_ends_in_a_digest(taken, text, forms):
    name = UniqueNames(taken).claim(text, *forms)

    assert re.fullmatch("[A-Za-z][A-Za-z0-9]*[0-9a-f]{8}", name)
    assert name == UniqueNames(taken).claim(text, *forms)


def test_names_that_differ_stay_different():
    names = UniqueNames([])
    texts = ["a_b", "a.b", "aB", "A_B", "ab", "ä", "ö", "日本", "日"]

    assert len({names.claim(text, "{}").lower() for text in texts}) == len(texts)


def test_the_forms_of_one_name_do_not_meet_those_of_another():
    names = UniqueNames([])
    forms = ("{}Request", "{}JobRequest")

    first, second = names.claim("primes", *forms), names.claim("primes_job", *forms)

    assert len({form.format(name) for form in forms for name in (first, second)}) == 4
