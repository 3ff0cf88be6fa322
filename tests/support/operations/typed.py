"""An operation with parameters of many types, which gives back what it was called with."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AnyUrl, Field

from workers.operations.registry import operation


@operation(tiny=True)
def parcel(
    *,
    count: Annotated[int, Field(ge=0)],
    price: Annotated[float, Field(multiple_of=0.01)] = 0.0,
    sender: Annotated[str, Field(pattern=r"^\p{L}+$")] = "Anna",
    at: datetime | None = None,
    within: timedelta | None = None,
    value: Decimal | None = None,
    size: tuple[int, str] | None = None,
    link: AnyUrl | None = None,
    code: UUID | None = None,
) -> list[str]:
    """Name the arguments as Python sees them."""
    return [repr(each) for each in (count, price, sender, at, within, value, size, code)] + [str(link)]
