"""A picture as the result of an operation: its type, its bytes, and a description in words.

An operation returns a picture. `errand/presenting/result_shape.py` recognises it by its shape and its first bytes, so
that mails and pages show it, and nothing else, as a picture.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.picture_sizes import MOST_PIXELS, is_too_large

PictureType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
"""Types that every mail program and browser shows; none that may contain scripts, such as SVG."""

MAX_ALT: Final = 1_000
"""Maximum characters of a picture's description."""

_BEGINS: Final[dict[PictureType, Callable[[bytes], bool]]] = {
    "image/png": lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda content: content.startswith(b"\xff\xd8\xff"),
    "image/gif": lambda content: content.startswith((b"GIF87a", b"GIF89a")),
    "image/webp": lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP",
}


class Picture(BaseModel):
    """A picture. If an operation returns one, the mail and the job's page show it."""

    # strict and closed: an object with further members only happens to look like a picture
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    media_type: PictureType
    data: Annotated[str, Field(description="Its bytes as base64.", json_schema_extra={"format": "byte"})]
    alt: Annotated[str, Field(max_length=MAX_ALT, description="What it shows, for those who don't see it.")]

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Self:
        if not _BEGINS[self.media_type](self.content):
            raise ValueError(f"data is no picture of the type {self.media_type}")
        if is_too_large(self.media_type, self.content):
            raise ValueError(f"data is a picture of more than {MOST_PIXELS:,} pixels")
        return self

    @classmethod
    def of(cls, content: bytes, alt: str) -> Self:
        """Make a picture from the bytes of a file; raise ValueError if their type is not shown."""
        for media_type in get_args(PictureType):
            if _BEGINS[media_type](content):
                return cls(media_type=media_type, data=b64encode(content).decode(), alt=alt[:MAX_ALT])
        raise ValueError(f"The bytes are none of {', '.join(get_args(PictureType))}.")

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return b64decode(self.data, validate=True)
