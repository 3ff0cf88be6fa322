"""Types of arguments and JSON values, at random and at their edges, for tests of who takes what."""

import enum
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, make_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Interface
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NotRequired
from uuid import UUID

from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyAddress,
    Json,
    NaiveDatetime,
    PastDate,
    PositiveInt,
    PostgresDsn,
    RootModel,
    SecretStr,
    StrictInt,
    StringConstraints,
    create_model,
)
from typing_extensions import TypedDict  # pydantic wants it from there before Python 3.12


class Colour(enum.Enum):
    """Values of every kind."""

    RED = "red"
    ONE = 1
    HALF = 1.5


class Level(enum.IntEnum):
    """Whole numbers, one of which no float is."""

    LOW = 1
    HIGH = 2**60


class Unit(enum.StrEnum):
    """Strings."""

    CM = "cm"


class Point(BaseModel):
    """Fields with an alias, a bound and a default."""

    x: int
    y: Annotated[float, Field(ge=0, alias="why")] = 1
    when: date | None = None


class Open(BaseModel):
    """Unknown fields of one type, and settings for all strings."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, str_strip_whitespace=True, str_max_length=3)
    __pydantic_extra__: dict[str, int]
    name: Annotated[str, Field(alias="n", min_length=1)]


class Tree(BaseModel):
    """A type inside itself."""

    model_config = ConfigDict(extra="forbid")
    leaf: int = 0
    kids: list["Tree"] = []


class Frozen(BaseModel):
    """An object that fits into a set."""

    model_config = ConfigDict(frozen=True)
    x: int


class Cat(BaseModel):
    """A form that a string tells apart."""

    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """The other form."""

    kind: Literal["dog"]
    good: bool = True


class V1(BaseModel):
    """A form that a number tells apart."""

    v: Literal[1]


class V2(BaseModel):
    """The other form."""

    v: Literal[2]
    d: timedelta | None = None


class Row(NamedTuple):
    """A tuple with names."""

    a: int
    b: str = "b"


class Dict(TypedDict):
    """A dict with known keys."""

    a: int
    b: NotRequired[date]


Data = make_dataclass("Data", [("x", int), ("y", list[int], field(default_factory=list))])
Ids = RootModel[list[UUID]]

NUMBERS = (
    *(0, 1, -1, 2, 3, 5, 100, 10**18, 10**18 + 1, 2**53, 2**53 + 1, 2**60, 2**63, 2**63 - 1, -(2**63), 10**22, 10**400),
    *(0.0, -0.0, 1.0, 2.0, 100.0, 1e3, 1e17, 1e18, 1e22, 1e23, 1e300, 1.7976931348623157e308, 5e-324, 2.0**60, 2.0**65),
    *(0.1, 0.3, 1.5, 19.99, 19.991, 0.30000000000000004, 1e-9, 2.0**63, 2**1024 - 2**970 - 1, 2**1024 - 2**970),
)
STRINGS = (
    *("", "a", "abc", " a ", "A", "İ", "ß", "ü", "😀", "e\u0301", "x" * 40, "a\n", "123", "٣", "\u0000"),
    *("1", "1.0", " 1 ", "1_0", "01", "1e5", "1e400", "NaN", "Infinity", "-0", "0x1", "true", "1/3", "1+2j", "+1"),
    *("2020-01-01", "2020-02-30", "2020-01-01T00:00:00", "2020-01-01T00:00:00Z", "2020-01-01 00:00:00+01:00"),
    *("2020-01-01T24:00:00", "1700000000", "0", "99999999999999999999", "12:30", "12:30:01.1234567", "12:30Z", "25:00"),
    *("P1D", "PT1H", "1 day", "1:00:00", "P1Y", "-P1D", "P9999999999D", "0001-01-01", "9999-12-31", "10000-01-01"),
    *("http://a", "https://exämple.com/x?y#z", "ftp://a", "http:a", " http://a ", "mailto:a@b", "http://"),
    *("postgres://a:1", "127.0.0.1", "127.0.0.256", "::1", "1.2.3.0/24", "1.2.3.4/24", "::1/64", "red", "cm", "cat"),
    *("12345678123456781234567812345678", "{12345678-1234-5678-1234-567812345678}", "YQ==", "YQ", "[1]", "[1.0]"),
    *("f47ac10b-58cc-4372-a567-0e02b2c3d479", "0190c0de-0000-7000-8000-000000000000", "dog"),
)
FIELDS = ("x", "y", "why", "when", "n", "name", "a", "b", "v", "d", "kind", "lives", "good", "leaf", "kids")
KEYS = st.sampled_from([*FIELDS, "1", " 1 ", "01", "2020-01-01", "red", "cm", "abc"])
SCALARS = st.one_of(
    st.sampled_from([None, True, False]),
    st.sampled_from(NUMBERS),
    st.sampled_from(STRINGS),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.dates().map(str),
    st.datetimes(timezones=st.sampled_from([None, UTC])).map(datetime.isoformat),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)
EDGES = (None, True, False, [], {}, *NUMBERS, *STRINGS)
AT_EDGES = (*EDGES, *([edge] for edge in EDGES), *({"x": edge} for edge in EDGES), *({text: 1} for text in STRINGS))
"""Values at the edges of types, alone and in what may hold them."""
BOUND = st.sampled_from([0, 1, 3, -5, 10**18, 2**53 + 1, 2**60, 2**63 - 1, -(2**63)])
FLOAT_BOUND = st.one_of(BOUND, st.sampled_from([0.1, 19.99, 1e18, 1e300, 2.0**60, 1e22]))
SIZE = st.integers(0, 3)
MOMENT = st.sampled_from([datetime.fromisoformat(text) for text in ("2020-01-01", "2020-01-01T00:00Z")])
PATTERN = st.sampled_from([r"^\p{L}+$", r"^\d+$", r"\w", r"(?i)^a", r"^a$", r"^[^\s]+$", r"\bx", r"^.$"])


def with_some(kind: Any, **bounds: Any) -> st.SearchStrategy[Any]:
    """Return the type with some of these bounds."""
    return st.fixed_dictionaries({}, optional=bounds).map(lambda chosen: Annotated[kind, Field(**chosen)])


PLAIN = (
    *(int, float, str, bool, bytes, None, Any, object, StrictInt, PositiveInt, Decimal),
    *(datetime, date, time, timedelta, AwareDatetime, NaiveDatetime, PastDate),
    *(AnyUrl, HttpUrl, PostgresDsn, UUID, UUID4, Path, SecretStr, Base64Bytes),
    *(IPv4Address, IPv6Address, IPv4Network, IPv6Interface, IPvAnyAddress, Json, Json[int]),
    *(Colour, Level, Unit, Literal["a", 1, True], Literal[1], Literal[True], Literal[Colour.ONE, Unit.CM]),
    *(Point, Open, Tree, Frozen, Data, Row, Dict, Ids),
    Annotated[Cat | Dog, Field(discriminator="kind")],
    Annotated[V1 | V2, Field(discriminator="v")],
)
BOUNDED = st.one_of(
    with_some(int, ge=BOUND, gt=BOUND, le=BOUND, lt=BOUND, multiple_of=st.sampled_from([1, 2, 3, 10])),
    with_some(float, ge=FLOAT_BOUND, gt=FLOAT_BOUND, le=FLOAT_BOUND, lt=FLOAT_BOUND),
    with_some(float, ge=FLOAT_BOUND, multiple_of=st.sampled_from([0.01, 0.1, 0.3, 2, 1e10])),
    with_some(int | float, ge=FLOAT_BOUND, lt=FLOAT_BOUND),
    with_some(Decimal, ge=st.sampled_from([0, Decimal("0.1")]), max_digits=st.just(4), decimal_places=st.just(2)),
    with_some(Decimal, multiple_of=st.sampled_from([Decimal("0.01"), 3])),
    with_some(str, min_length=SIZE, max_length=SIZE),
    with_some(str, pattern=PATTERN, max_length=SIZE),
    with_some(bytes, min_length=SIZE, max_length=SIZE),
    st.builds(
        lambda **rest: Annotated[str, StringConstraints(**rest)],
        strip_whitespace=st.booleans(),
        to_lower=st.booleans(),
        min_length=SIZE,
        max_length=st.sampled_from([3, 4]),
        pattern=st.sampled_from([None, "^[a-z]*$"]),
    ),
    with_some(date, ge=st.just(date(2020, 1, 1)), lt=st.just(date(2021, 1, 1))),
    with_some(time, le=st.just(time(12))),
    with_some(timedelta, gt=st.just(timedelta(0)), le=st.just(timedelta(days=1))),
    MOMENT.map(lambda bound: Annotated[datetime, Field(ge=bound)]),
)
KEY_TYPES = st.sampled_from(
    [str, int, float, date, UUID, Unit, Literal["a", "b"], int | str, Annotated[str, Field(pattern="^[a-z]$")]]
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return types that are made of others."""
    return st.one_of(
        st.tuples(inner, inner).map(lambda kinds: kinds[0] | kinds[1] if kinds[0] is not kinds[1] else kinds[0]),
        inner.map(lambda kind: kind | None if kind is not None else None),
        inner.flatmap(lambda kind: with_some(list[kind], min_length=SIZE, max_length=SIZE)),
        st.lists(inner, min_size=1, max_size=3).map(lambda kinds: tuple[tuple(kinds)]),
        inner.map(lambda kind: tuple[kind, ...]),
        inner.flatmap(lambda kind: with_some(set[kind], min_length=SIZE, max_length=SIZE)),
        inner.flatmap(lambda kind: with_some(frozenset[kind], min_length=SIZE)),
        inner.flatmap(lambda kind: with_some(Sequence[kind], max_length=SIZE)),
        st.tuples(KEY_TYPES, inner).flatmap(lambda pair: with_some(dict[pair], min_length=SIZE, max_length=SIZE)),
        st.sampled_from([Iterable, deque]).flatmap(lambda box: inner.map(lambda kind: box[kind])),
        inner.map(lambda kind: Mapping[str, kind]),
        inner.map(lambda kind: create_model("Part", x=(kind, ...), y=(kind, None))),
        inner.map(lambda kind: make_dataclass("Part", [("x", kind)])),
    )


TYPES = st.recursive(st.one_of(st.sampled_from(PLAIN), BOUNDED), containers, max_leaves=4)
