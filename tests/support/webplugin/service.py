"""A service of tests that answers HTTP itself: what it does wrong, it does on purpose."""

import os
import time

from workers.extending import http

SECRET = "the password is swordfish"


class NotThere(Exception):
    """Meant for callers."""


class Site:
    """Is asked."""

    name = "site"
    max_workers = 300

    @http("GET", "/pid")
    def pid(self, request):
        return str(os.getpid())

    @http("GET", "/whole/<int:value>")
    def whole(self, request, value):
        return 201, {"X-Value": str(value)}, "made"

    @http("PUT,POST", "/body")
    def body(self, request):
        return str(len(request.get_data()))

    @http("POST", "/json")
    def json(self, request):
        return str(request.get_json())

    @http("GET", "/slow")
    def slow(self, request):
        time.sleep(1)
        return "x" * 1_000_000

    @http("GET", "/broken")
    def broken(self, request):
        raise ZeroDivisionError(SECRET)

    @http("GET", "/no-text")
    def no_text(self, request):
        return {SECRET: 1}

    @http("GET", "/missing", expected_exceptions=NotThere)
    def missing(self, request):
        raise NotThere("There is none.")
