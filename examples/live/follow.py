"""Runs a job and prints its events from a web socket: `python -m examples.live.follow http://127.0.0.1:5000`."""

import json
import sys
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from websockets.sync.client import connect

JOB = {"operation": "sum", "arguments": {"value": 30, "other": 10}}
FINAL = {"succeeded", "failed", "cancelled"}


def ask(url: str, body: object = None) -> dict[str, str]:
    """GET, or POST a body; return the JSON of the answer."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=10) as answer:  # noqa: S310 -- ours
        told: dict[str, str] = json.load(answer)
        return told


def main(url: str) -> None:
    """Listen before the job starts, so that no event is missed."""
    with connect(f"ws://{urlsplit(url).hostname}:{ask(f'{url}/live/address')['port']}") as events:
        events.recv(timeout=10)  # the first message says that no event is missed from now on
        job_id = ask(f"{url}/jobs", JOB)["id"]
        for event in map(json.loads, events):
            if (event["event"], event["id"]) == ("status", job_id):
                print(event["status"])  # noqa: T201 -- it is run to be read
                if event["status"] in FINAL:
                    break


if __name__ == "__main__":
    main(sys.argv[1])
