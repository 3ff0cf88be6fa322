"""The API's processes: none is left behind, whichever of them is killed."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests

from errand.process.waiting import until
from tests.support.processes import alive, descendants
from tests.support.stack import Stack, running

CLIENTS = 16


def test_an_api_whose_parent_is_killed_leaves_nobody_on_its_port_and_starts_again(env, amqp_uri, tmp_path):
    with running(tmp_path, {**env, "AMQP_URI": amqp_uri}, lambda stack: stack.api.start()) as stack:
        kept = stack.compute()
        answering = descendants(stack.api.process.pid)
        assert answering

        # the parent alone, as a supervisor or the kernel kills it
        os.kill(stack.api.process.pid, signal.SIGKILL)
        stack.api.process.wait()
        until(lambda: not alive(answering), 5, "nobody left behind")
        stack.api.start()

        assert stack.get(f"/jobs/{kept}").json()["status"] == "accepted"
        assert stack.compute()


def test_an_api_process_that_is_killed_is_started_again_by_its_parent(env, amqp_uri, tmp_path):
    with running(tmp_path, {**env, "AMQP_URI": amqp_uri}, lambda stack: stack.api.start()) as stack:
        before = descendants(stack.api.process.pid)

        for pid in before:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(before) and stack.answers(), 20, "answers of another process")

        assert stack.compute()
        assert stack.api.running


def test_api_processes_are_forked_so_that_they_share_memory(env, amqp_uri, tmp_path):
    settings = {**env, "AMQP_URI": amqp_uri, "API_PROCESSES": "2"}
    with running(tmp_path, settings, lambda stack: stack.api.start()) as stack:
        parent = stack.api.process.pid
        answering = descendants(parent)

        assert len(answering) == 2
        assert {command_of(pid) for pid in answering} == {command_of(parent)}, (
            "a spawned process has a command line of its own"
        )
        assert stack.compute()


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def request_of(number: int) -> tuple[str, str]:
    """Write a request that is like no other: a job, or what can't be one."""
    if number % 4 == 0:
        return "/compute", f"{number} is no JSON"
    if number % 4 == 1:
        return "/jobs", json.dumps({"operation": "sum", f"field{number}": 1})
    return "/compute", json.dumps({"operation": "sum", "value": number, "other": -number})


def is_its_own(number: int, answer: requests.Response, stack: Stack) -> bool:
    """Tell whether this is the answer to that request."""
    told = answer.json()
    if number % 4 == 0:
        return answer.status_code == 400
    if number % 4 == 1:
        return answer.status_code == 422 and f"/field{number}" in {error["pointer"] for error in told["errors"]}
    record = stack.store.get(told["id"])
    return answer.status_code == 202 and json.loads(record.arguments) == {"value": number, "other": -number}


def test_of_many_clients_at_a_time_each_gets_the_answer_to_its_own_request(env, amqp_uri, tmp_path):
    def post(number: int) -> requests.Response:
        path, body = request_of(number)
        headers = {"Content-Type": "application/json"}
        return sessions[number % CLIENTS].post(stack.url + path, data=body, headers=headers, timeout=30)

    with (
        running(tmp_path, {**env, "AMQP_URI": amqp_uri}, lambda stack: stack.api.start()) as stack,
        ExitStack() as opened,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        sessions = [opened.enter_context(requests.Session()) for _ in range(CLIENTS)]
        numbers = range(25 * CLIENTS)
        answers = [each for first in numbers[::CLIENTS] for each in pool.map(post, numbers[first : first + CLIENTS])]

        assert all(is_its_own(number, answer, stack) for number, answer in zip(numbers, answers, strict=True))
        ids = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        assert len(ids) == len(set(ids)) == len(numbers) // 2


def test_a_key_that_conflicts_costs_no_other_client_its_job(env, amqp_uri, tmp_path):
    """Requests of many clients are stored in one round trip, among them many with a key that is another job's."""
    kept = {"operation": "sum", "value": 1, "other": 1}

    def post(number):
        key = {"Idempotency-Key": "taken"} if number % 3 == 0 else {"Idempotency-Key": f"{number // 2}"}
        headers = key if number % 3 < 2 else {}
        answer = requests.post(f"{stack.url}/compute", json=kept | {"value": number}, headers=headers, timeout=30)
        return number % 3, answer.status_code, answer.json().get("id")

    with running(tmp_path, {**env, "AMQP_URI": amqp_uri}, lambda stack: stack.api.start()) as stack:
        requests.post(f"{stack.url}/compute", json=kept, headers={"Idempotency-Key": "taken"}, timeout=30)
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(post, range(600)))

        assert {status for kind, status, _ in answers if kind == 0} == {422}
        assert {status for kind, status, _ in answers if kind != 0} == {202}
        accepted = {job_id for kind, _, job_id in answers if kind != 0}
        stored = set(stack.store.client.zrange(stack.store.keys.jobs, 0, -1))
        assert len(accepted) == 400
        assert accepted < stored
        assert len(stored) == 401
