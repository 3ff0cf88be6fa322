"""What the pages behind the links in mails share: their headers, and errors as HTML pages for browsers."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeVar

from flask import Blueprint, render_template, request
from werkzeug.exceptions import HTTPException

from api.http import content_policy, problems
from api.http.answer import Answer
from api.http.assets import asset_url
from errand.errors import ErrandError

E = TypeVar("E", bound=Exception)

PRIVATE_HEADERS: Final = {
    "Referrer-Policy": "no-referrer",  # anybody with the address can open the page
    "Cache-Control": "private, no-store",  # so that the next user of this browser does not see it
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of everything behind a link in a mail, so that only its reader sees it."""
PAGE_HEADERS: Final = {
    **PRIVATE_HEADERS,
    content_policy.HEADER: content_policy.own_page(form_action="'self'"),
    "Cross-Origin-Opener-Policy": "same-origin",
}

READER_SENTENCES: Final[dict[int, tuple[str, str]]] = {
    500: ("Something went wrong", "The fault is on our side and has been logged. Please try again later."),
    503: ("Not available right now", "This page can't be shown at the moment. Please try again in a few seconds."),
}
"""Title and sentence of an error page, by status, where those of the problem would not help its reader."""


def page_answer(template: str, status: int = 200, /, **words: object) -> Answer:
    """Render a template of a page as a response."""
    html = render_template(template, asset=asset_url, **words)
    return Answer(html, status, headers=PAGE_HEADERS, mimetype="text/html")


def refuse_in_html(blueprint: Blueprint) -> None:
    """Let the views of `blueprint` answer errors with a page, unless the client prefers JSON."""
    blueprint.register_error_handler(ErrandError, _as_page_if_wanted(problems.on_errand_error))
    blueprint.register_error_handler(HTTPException, _as_page_if_wanted(problems.on_http_error))
    blueprint.register_error_handler(Exception, _as_page_if_wanted(problems.on_fault))


def wants_html() -> bool:
    """Return whether the client prefers HTML to JSON. Browsers do; `curl` accepts anything."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > max(accepted["application/json"], accepted["application/problem+json"])


def _as_page_if_wanted(refuse: Callable[[E], Answer | HTTPException]) -> Callable[[E], Answer | HTTPException]:
    def refuse_as_wanted(error: E) -> Answer | HTTPException:
        problem = refuse(error)
        if not isinstance(problem, Answer):
            return problem
        answer = _as_page(problem) if wants_html() else problem
        answer.headers.update(PRIVATE_HEADERS)
        answer.headers["Vary"] = "Accept"
        return answer

    return refuse_as_wanted


def _as_page(problem: Answer) -> Answer:
    """Write a problem as a page."""
    body = problem.get_json()
    title, detail = READER_SENTENCES.get(problem.status_code, (body["title"], body["detail"]))
    is_server_fault = problem.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    answer = page_answer("refusal.html", problem.status_code, title=title, detail=detail, again=is_server_fault)
    if "Retry-After" in problem.headers:
        answer.headers["Retry-After"] = problem.headers["Retry-After"]
    return answer
