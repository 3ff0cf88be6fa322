"""Chooses names in the API document: clients that are generated from it call their methods and classes by them."""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

WORD: Final = re.compile("[A-Za-z0-9]+")
PLAIN: Final = re.compile("[A-Za-z][A-Za-z0-9._-]*")
"""A text whose PascalCase has all of its letters, and can begin a class's name."""


class UniqueNames:
    """The names that are taken. Upper and lower case don't count: generators also name files by them."""

    def __init__(self, taken: Iterable[str]) -> None:
        """Begin with the names that the document has."""
        self._taken = {name.lower() for name in taken}

    def claim(self, text: str, *forms: str) -> str:
        """Write `text` in PascalCase, and claim each of `forms` with it for `{}`.

        Where one of these is taken, or characters were lost, it ends in a digest of `text`.
        """
        name = pascal(text)
        if not PLAIN.fullmatch(text) or self._is_taken(name, forms):
            name = f"{name if PLAIN.match(name) else f'X{name}'}{blake2b(text.encode(), digest_size=4).hexdigest()}"
        self._taken.update(form.format(name).lower() for form in forms)
        return name

    def claim_first(self, *names: str) -> str:
        """Claim the first of `names` that is not taken; the last one if all are."""
        name = next((name for name in names if name.lower() not in self._taken), names[-1])
        self._taken.add(name.lower())
        return name

    def _is_taken(self, name: str, forms: Iterable[str]) -> bool:
        return any(form.format(name).lower() in self._taken for form in forms)


def pascal(text: str) -> str:
    """Write `csv_summary` or `csv.summary` as `CsvSummary`."""
    return "".join(word[0].upper() + word[1:] for word in WORD.findall(text))


def camel(text: str) -> str:
    """Write `csv_summary` or `csv.summary` as `csvSummary`."""
    name = pascal(text)
    return name[:1].lower() + name[1:]
