"""Why a request was refused, as RFC 9457 (`application/problem+json`) describes it.

`api/http/problems.py` fills it from an error.
"""

from typing import Annotated

from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One fault in the body."""

    pointer: Annotated[str, Field(description="JSON Pointer (RFC 6901) to the place in the body; empty: all of it.")]
    detail: Annotated[str, Field(description="What is wrong there, and what to send instead.")]


class Problem(BaseModel):
    """Why the request was refused; nothing was stored."""

    type: Annotated[str, Field(description="Stable name of this kind of problem, or `about:blank`.")]
    title: Annotated[str, Field(description="The kind of problem in a few words.")]
    status: Annotated[int, Field(ge=400, le=599, description="The HTTP status.")]
    detail: Annotated[str, Field(description="What happened here, and what to do.")]
    errors: Annotated[list[Fault] | None, Field(description="Each fault, if the body is wrong.")] = None
    parameter: Annotated[str | None, Field(description="The wrong parameter, if the query is wrong.")] = None
    dependencies: Annotated[
        dict[str, str] | None, Field(description="`up` or `down` for each part, if `/readyz` answers.")
    ] = None
