"""The main job, end to end on both brokers: HTTP in, mail out."""

import json
import subprocess
import sys

from errand.process.waiting import until
from tests.support.mails import sentence
from tests.support.processes import ROOT

LIMIT = 10**18


def subjects(sink, count):
    return sorted(sentence(mail.message["Subject"]) for mail in sink.wait_for(count))


def test_a_posted_sum_is_computed_stored_and_mailed(stack, smtp_sink):
    answer = stack.post("/compute", {"operation": "sum", "value": 30, "other": 10, "email": "name@email.com"})

    body = answer.json()
    assert answer.status_code == 202
    assert body["status"] == "accepted"
    assert body["message"] == "Please wait the calculation, you'll receive an email with results"
    assert answer.headers["Location"] == body["links"]["self"] == f"/jobs/{body['id']}"

    job = stack.finished(body["id"])
    assert (job["status"], job["result"], job["attempt"]) == ("succeeded", 40, 1)

    mails = {sentence(mail.message["Subject"]): mail for mail in smtp_sink.wait_for(2)}
    assert mails["Your operation is complete!"].message["Subject"].startswith("sum(30, 10): 40 - ")
    assert "Please wait the calculation" in mails["API Notification"].text
    assert "The result is: 40" in mails["Your operation is complete!"].text
    assert {mail.message["To"] for mail in mails.values()} == {"name@email.com"}
    until(lambda: states(stack, body["id"]) == {"sent"}, 10, "both marked as sent")


def states(stack, job_id):
    return {row["state"] for row in stack.get(f"/jobs/{job_id}").json()["notifications"]}


def test_every_operation_gives_what_the_tutorials_say_and_is_exact_at_the_limit(stack):
    expected = {
        ("sum", 30, 10): "40",
        ("sub", 30, 10): "20",
        ("mul", 30, 10): "300",
        ("div", 30, 10): "3",
        ("div", 10, 4): "2.5",
        ("sum", LIMIT, LIMIT): str(2 * LIMIT),
        ("sub", -LIMIT, LIMIT): str(-2 * LIMIT),
        ("mul", LIMIT, -LIMIT): str(-LIMIT * LIMIT),
        ("mul", LIMIT - 1, LIMIT - 3): str((LIMIT - 1) * (LIMIT - 3)),
        ("div", LIMIT, 1): str(LIMIT),
        ("div", LIMIT - 1, 3): str((LIMIT - 1) // 3),
    }
    ids = {case: stack.compute(*case) for case in expected}

    for case, text in expected.items():
        stack.finished(ids[case])
        raw = stack.get(f"/jobs/{ids[case]}").text
        assert json.dumps(json.loads(raw)["result"]) == text, case


def test_a_job_whose_operation_fails_is_stored_as_failed_and_mailed(stack, smtp_sink):
    job = stack.finished(stack.compute("div", 1, 0, email="name@email.com"))

    assert (job["status"], job["result"]) == ("failed", None)
    assert job["error"] == {"type": "ZeroDivisionError", "message": "division by zero"}
    assert subjects(smtp_sink, 2) == ["API Notification", "An error occurred"]


def test_a_job_of_the_catalogue_is_accepted_by_its_name(stack):
    arguments = {"value": 30, "other": 10}
    answer = until(
        lambda: (a := stack.post("/jobs", {"operation": "mul", "arguments": arguments})).ok and a, 15, "a catalogue"
    )

    job = stack.finished(answer.json()["id"])

    assert (job["operation"], job["arguments"], job["result"]) == ("mul", arguments, 300)


REFUSED_BODIES = [
    '{"operation":"sum","value":{"__type__":"decimal","__value__":"1.5"},"other":1}',
    '{"operation":"sum","value":{"__type__":"evil","__value__":1},"other":1}',
    '{"operation":"sum","value":NaN,"other":1}',
    '{"operation":"sum","value":1,"other":Infinity}',
    '{"operation":"sum","value":1e999,"other":1}',
]
REFUSED_ADDRESSES = [
    "name@email.com\n",
    "name@email.com\r\nBcc: other@email.com",
    "name@email.com\rX: y",
    "name@email.com,other@email.com",
    "name@email.com other@email.com",
    "n" * 291 + "@email.com",
    "no address",
    "",
]


def test_what_is_refused_leaves_nothing_behind(stack, smtp_sink):
    headers = {"Content-Type": "application/json"}
    bodies = [json.dumps({"operation": "sum", "value": 1, "other": 2, "email": email}) for email in REFUSED_ADDRESSES]

    for body in REFUSED_BODIES + bodies:
        answer = stack.post("/compute", data=body, headers=headers)

        assert 400 <= answer.status_code < 500, body
        assert answer.headers["Content-Type"] == "application/problem+json", body

    assert stack.store.client.zcard(stack.store.keys.jobs) == 0
    assert stack.store.client.zcard(stack.store.keys.notifications) == 0
    assert smtp_sink.messages == []
    assert stack.finished(stack.compute())["result"] == 40, "and a good job still runs"


def test_the_tutorials_calls_work_from_namekos_own_shell(stack, smtp_sink):
    lines = """
print('sum', n.rpc.compute.compute('sum', 30, 10, "name@email.com"))
print('sub', n.rpc.compute.compute('sub', 30, 10, "name@email.com"))
print('mul', n.rpc.compute.compute('mul', 30, 10, "name@email.com"))
print('div', n.rpc.compute.compute('div', 30, 10, "name@email.com"))
n.rpc.mail.send("name@email.com", "testing", "Just testing")
try: n.rpc.compute.compute('div', 1, 0)
except Exception as error: print('failed', error)

"""
    command = [sys.executable, "-W", "ignore", "-m", "nameko", "shell", "--broker", stack.env["AMQP_URI"]]

    shell = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)

    assert shell.returncode == 0, shell.stderr
    for answer in ("sum 40", "sub 20", "mul 300", "div 3"):
        assert f"{answer}\n" in shell.stdout.replace(">>> ", ""), shell.stderr
    assert "OperationFailed ZeroDivisionError: division by zero" in shell.stdout
    mails = smtp_sink.wait_for(5)
    assert len(mails) == 5, "one for each call: a caller sends the receipt itself, as the tutorial does"
    [letter] = [mail for mail in mails if mail.message["Subject"] == "testing"]
    assert letter.text.strip().startswith("Just testing")
