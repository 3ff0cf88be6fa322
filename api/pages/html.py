"""Pages for people who come from a mail: their headers, and refusals as a page for who reads pages.

Stands at step 6 of a job's life, under `job.py` and `unsubscribe.py`. Next: `templates/page.html`.
"""

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
    "Referrer-Policy": "no-referrer",  # the address is the key
    "Cache-Control": "private, no-store",  # whoever uses this browser next gets nothing of it
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Headers of all that is behind a link in a mail: it stays between its reader and us."""
PAGE_HEADERS: Final = {
    **PRIVATE_HEADERS,
    content_policy.HEADER: content_policy.own_page(form_action="'self'"),
    "Cross-Origin-Opener-Policy": "same-origin",
}

READER_SENTENCES: Final[dict[int, tuple[str, str]]] = {
    500: ("Something went wrong", "It was on our side, and it was noted. Please try again later."),
    503: ("Not right now", "This can't be looked up at the moment. Please try again in a few seconds."),
}
"""Title and sentence for people, by status, where those for programs would not help them."""


def page_answer(template: str, status: int = 200, /, **words: object) -> Answer:
    """Answer with a page."""
    html = render_template(template, asset=asset_url, **words)
    return Answer(html, status, headers=PAGE_HEADERS, mimetype="text/html")


def refuse_in_html(blueprint: Blueprint) -> None:
    """Let the views of `blueprint` refuse with a page, unless a program asks."""
    blueprint.register_error_handler(ErrandError, _as_page_if_wanted(problems.on_errand_error))
    blueprint.register_error_handler(HTTPException, _as_page_if_wanted(problems.on_http_error))
    blueprint.register_error_handler(Exception, _as_page_if_wanted(problems.on_fault))


def wants_html() -> bool:
    """Tell whether who asks would rather have a page than JSON. Browsers name HTML; `curl` takes anything."""
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
    """Say as a page what a problem says."""
    body = problem.get_json()
    title, detail = READER_SENTENCES.get(problem.status_code, (body["title"], body["detail"]))
    is_ours = problem.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    answer = page_answer("refusal.html", problem.status_code, title=title, detail=detail, again=is_ours)
    if "Retry-After" in problem.headers:
        answer.headers["Retry-After"] = problem.headers["Retry-After"]
    return answer
