"""The API's processes: none is left behind, whichever of them is killed."""

import os
import signal

from errand.embedded.wait import until
from tests.support.processes import alive, descendants
from tests.support.stack import running


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
