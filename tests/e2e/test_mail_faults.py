"""Faults of mail servers and mail workers, each against real processes: jobs are not affected, every mail arrives, and
`notifications` is right all the time. How the mailer itself judges each reply is in tests/integration/test_mailer.py.

A mail may come twice only if the server took it and no worker could record that.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager

import pytest

from errand.process.waiting import until
from tests.conftest import missing
from tests.support import valkey as valkeys
from tests.support.mails import sentence
from tests.support.processes import ROOT
from tests.support.smtp import DROP, FLOOD, HANG, HAS_OPENSSL, Certificate, SmtpSink, once
from tests.support.stack import Worker, running

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # on purpose here

# a mail's lease is three times a job's, and the reply to a mail's content may take six times MAIL_TIMEOUT
HURRIED = {"LEASE_SECONDS": "1", "MAIL_TIMEOUT": "1", "MAIL_PAUSE": "0.2"}
LEASE = 3.0


class Scene:
    """One Errand for all tests here, with a store and a mail server of its own; the mail worker runs by itself."""

    def __init__(self, stack, store, sink):
        self.stack, self.store, self.sink = stack, store, sink
        self.mail = stack.worker("mail")
        self.addresses = 0

    def address(self):
        """Return an address that no other test uses, so that its mails can be counted."""
        self.addresses += 1
        return f"person{self.addresses}@email.com"

    def job(self, email):
        """Post a job and wait until it has succeeded, whatever the mail server does."""
        job_id = self.stack.compute(email=email)
        job = self.stack.finished(job_id, within=15)
        assert (job["status"], job["result"], job["attempt"]) == ("succeeded", 40, 1)
        return job_id

    def receipt(self, email):
        """Post a job that starts in an hour, so that its receipt is its only mail."""
        return self.stack.submit("sum", {"value": 30, "other": 10}, email=email, delay=3600)

    def notes(self, job_id):
        """Return the job's notifications by kind."""
        return {row["kind"]: row for row in self.stack.get(f"/jobs/{job_id}").json()["notifications"]}

    def wait(self, job_id, holds, within=20):
        """Wait until `holds` is true of each of the job's notifications, and return them."""

        def held():
            rows = self.notes(job_id)
            return rows if all(map(holds, rows.values())) else None

        return until(held, within, "the notifications")

    def sent(self, job_id, within=20):
        """Wait until all of them are recorded as sent, and return them."""
        return self.wait(job_id, lambda row: row["state"] == "sent", within)

    def deferred(self, job_id, words, kind="receipt"):
        """Wait until an attempt to send the first mail failed for this reason, and return its notification."""
        rows = []

        def tried():
            rows.append(self.notes(job_id)[kind])
            assert (rows[-1]["state"], rows[-1]["sent_at"]) == ("pending", None)
            return rows[-1]["attempts"] and words in (rows[-1]["last_error"] or "")

        until(tried, 20, f"a try that ends with {words!r}")
        return rows[-1]

    def told(self, job_id):
        """Return all of the job's notifications if none of them is pending."""
        rows = self.stack.get(f"/jobs/{job_id}").json()["notifications"]
        return rows if all(row["state"] in ("sent", "failed") for row in rows) else None

    def forget(self, job_id):
        """Drop the job's pending notifications."""
        client, keys = self.stack.store.client, self.stack.store.keys
        members = [each for each in client.zrange(keys.notifications, 0, -1) if each.endswith(job_id)]
        client.zrem(keys.notifications, *members)

    def mail_server(self):
        """Return what `/readyz` says of the mail server."""
        ready = self.stack.get("/readyz")
        assert ready.status_code == 200, "jobs are accepted"
        return ready.json()["dependencies"].get("mail_server")

    def all_told(self):
        """Return whether no mail is pending."""
        return self.stack.store.client.zcard(self.stack.store.keys.notifications) == 0

    def leased_until(self, job_id):
        """Return when the lease of the receipt expires (ms)."""
        return self.stack.store.client.zscore(self.stack.store.keys.notifications, f"receipt/{job_id}")

    def worker(self, name, **env):
        """Return another mail worker, not started, with settings of its own."""
        return Worker(["mail"], self.stack.folder / f"mail-{name}.log", self.stack.env | env)

    @contextmanager
    def instead(self, *workers):
        """Run only these mail workers for the time of a `with`."""
        self.mail.stop()
        try:
            for worker in workers:
                worker.start()
            yield
        finally:
            for worker in workers:
                worker.stop()


def subjects(mails):
    return Counter(sentence(mail.message["Subject"]) for mail in mails)


ONCE = {"API Notification": 1, "Your operation is complete!": 1}


@pytest.fixture(scope="module")
def shared(valkey, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mail")
    (folder / "store").mkdir()
    with valkeys.running(folder / "store") as store, SmtpSink() as sink:
        env = {"REDIS_URL": store.url(), "AMQP_URI": valkey.fresh_url(), "SMTP_URL": sink.url, **HURRIED}
        with running(folder, env, lambda stack: stack.api.start()) as stack:
            scene = Scene(stack, store, sink)
            others = stack.worker("compute", "rescuer").start()
            try:
                yield scene
            finally:
                scene.mail.stop()
                others.stop()


@pytest.fixture
def scene(shared):
    """The scene with a healthy mail server, a running mail worker and no pending mails."""
    shared.sink.behave()
    shared.sink.hang_up()  # so that the next mail connects
    shared.mail.start()
    yield shared
    shared.sink.behave()
    until(lambda: shared.all_told() or not shared.mail.running, 20, "nothing left to be sent")


# ---- the mail server


def test_mails_wait_for_a_server_that_is_down_and_go_out_when_it_is_back(scene):
    addresses = [scene.address() for _ in range(10)]
    with scene.sink.shut():
        ids = [scene.job(address) for address in addresses]
        assert scene.deferred(ids[0], "refused")["to"] == addresses[0]
        tries = [row["attempts"] for job_id in ids for row in scene.notes(job_id).values()]
        until(lambda: scene.mail_server() == "down", 10, "a worker's beat that says so")

    for job_id, address in zip(ids, addresses, strict=True):
        assert {row["last_error"] for row in scene.sent(job_id, within=10).values()} == {None}
        assert subjects(scene.sink.to(address)) == ONCE
    assert tries.count(0) > 10, "only one mail tries the server now and then"
    until(lambda: scene.mail_server() == "up", 10, "a worker's beat that says so")


@pytest.mark.parametrize(
    ("step", "answer", "told"),
    [
        ("CONNECT", "421 4.7.0 Too many connections", "421 4.7.0 Too many connections"),
        ("CONNECT", "554 5.7.1 We don't know you", "554 5.7.1 We don't know you"),
        ("CONNECT", HANG, "timed out"),
        ("CONNECT", DROP, "SMTPServerDisconnected"),
        ("CONNECT", "HTTP/1.1 400 Bad Request", "Not SMTP:"),
        ("MAIL", "SSH-2.0-OpenSSH_9.2", "Not SMTP:"),
        ("MAIL", "553 5.7.1 Sender not owned by this user", "553 5.7.1 Sender not owned by this user"),
        ("RCPT", "450 4.2.0 Greylisted", "450 4.2.0 Greylisted"),
        ("DATA", "452 4.3.1 Disk full", "452 4.3.1 Disk full"),
        ("DATA", DROP, "SMTPServerDisconnected"),
        ("CONNECT", FLOOD, "the answer is too long"),
        ("RCPT", FLOOD, "the answer is too long"),
    ],
)
def test_a_mail_that_the_server_defers_is_reported_and_sent_later_and_once(scene, step, answer, told):
    address = scene.address()
    scene.sink.answers[step] = answer

    job_id = scene.job(address)
    scene.deferred(job_id, told)
    scene.sink.behave()

    assert all(row["sent_at"] for row in scene.sent(job_id).values())
    assert subjects(scene.sink.to(address)) == ONCE


def test_greylisting_holds_up_nobody_else(scene):
    grey, other = scene.address(), scene.address()
    tries = Counter()

    def greylist(line):
        tries[line] += 1
        return "450 4.2.0 Greylisted, come back" if grey in line and tries[line] <= 4 else None

    scene.sink.answers["RCPT"] = greylist
    slow = scene.job(grey)
    scene.sent(scene.job(other), within=5)

    attempts = sum(row["attempts"] for row in scene.sent(slow).values())
    assert attempts == 4 + 2, "four times deferred, two mails sent"
    assert subjects(scene.sink.to(grey)) == subjects(scene.sink.to(other)) == ONCE


@pytest.mark.parametrize(
    ("step", "answer"), [("RCPT", "550 5.1.1 No such user here"), ("DATA", "552 5.3.4 Message too large")]
)
def test_a_mail_that_is_refused_for_good_fails_with_the_servers_words_and_no_other_does(scene, step, answer):
    refused, other = scene.address(), scene.address()
    scene.sink.answers[step] = lambda argument: answer if refused in argument else None

    job_id = scene.job(refused)
    scene.sent(scene.job(other))

    rows = scene.wait(job_id, lambda row: row["state"] == "failed")
    assert {(row["last_error"], row["attempts"], row["sent_at"]) for row in rows.values()} == {(answer, 1, None)}
    assert scene.stack.status(job_id) == "succeeded"
    assert not scene.sink.to(refused)
    assert subjects(scene.sink.to(other)) == ONCE


def test_a_mail_that_is_too_large_for_its_server_goes_out_once_without_its_files(scene):
    address, other = scene.address(), scene.address()
    scene.sink.most_bytes = 70_000
    wide = {"text": "\n".join(",".join(f"{word}{n}" for n in range(900)) for word in ("column", ""))}

    ids = [scene.stack.submit("csv_summary", wide, email=each) for each in (address, other)]

    for job_id in ids:
        scene.stack.finished(job_id)
        assert {row["attempts"] for row in scene.sent(job_id).values()} == {1}
    assert scene.sink.arrived.count(address) == 3, "a receipt, and a result with its file and without"
    for each in (address, other):
        receipt, result = scene.sink.to(each)
        assert not list(result.message.iter_attachments())
        assert "The link below leads to the whole result." in " ".join(result.text.split())
        assert "/view/" in result.text
        assert receipt.message["Message-ID"] == result.message["In-Reply-To"]


def test_each_recipient_gets_a_mail_of_their_own_whatever_happens_to_the_others(scene):
    people = [scene.address() for _ in range(3)]
    scene.sink.answers["RCPT"] = lambda argument: "550 5.1.1 No such user here" if people[1] in argument else None

    job_id = scene.job(people)
    rows = until(lambda: scene.told(job_id), 20, "all are told")

    assert {(row["to"], row["kind"]): row["state"] for row in rows} == {
        (to, kind): "failed" if to == people[1] else "sent" for to in people for kind in ("receipt", "result")
    }
    for to in (people[0], people[2]):
        receipt, result = scene.sink.to(to)
        assert (receipt.message["To"], result.message["To"]) == (to, to)
        assert result.message["In-Reply-To"] == receipt.message["Message-ID"]
    assert not scene.sink.to(people[1])
    ours = [mail for mail in scene.sink.messages if mail.recipients[0] in people]
    assert len({mail.message["Message-ID"] for mail in ours}) == len(ours) == 4


def test_a_mail_that_failed_is_sent_once_somebody_asks_for_it_again(scene):
    address = scene.address()
    scene.sink.answers["RCPT"] = "550 5.1.1 No such user here"
    job_id = scene.job(address)
    scene.wait(job_id, lambda row: row["state"] == "failed")
    scene.sink.behave()

    assert scene.stack.post(f"/jobs/{job_id}/notifications/retry").status_code == 202

    scene.sent(job_id)
    assert subjects(scene.sink.to(address)) == ONCE
    assert scene.stack.post(f"/jobs/{job_id}/notifications/retry").status_code == 409


def test_an_unsubscribed_address_gets_no_mail_and_the_job_says_why(scene):
    address = scene.address()
    scene.stack.store.unsubscribe(address.upper())

    rows = scene.wait(scene.job(address), lambda row: row["state"] == "unsubscribed")
    scene.stack.store.add_letter("0192f3a4-1111-7222-8333-444455556666", address, "testing", "Just testing")
    until(scene.all_told, 10, "nothing waits")

    assert {row["attempts"] for row in rows.values()} == {0}
    assert address not in scene.sink.arrived
    scene.stack.store.resubscribe(address)
    scene.sent(scene.job(address))
    assert subjects(scene.sink.to(address)) == ONCE


def test_an_address_over_its_rate_waits_for_its_turn_and_no_other_does(scene):
    busy, other = scene.address(), scene.address()
    with scene.instead(scene.worker("sparing", MAIL_RATE="2")):
        scene.sent(scene.job(busy))
        late = scene.receipt(busy)
        scene.sent(scene.job(other))

        row = until(lambda: scene.notes(late)["receipt"]["last_error"] and scene.notes(late)["receipt"], 10, "it waits")

    assert (row["state"], row["attempts"]) == ("pending", 0)
    assert "MAIL_RATE" in row["last_error"]
    assert subjects(scene.sink.to(busy)) == subjects(scene.sink.to(other)) == ONCE
    scene.forget(late)


def test_a_slow_server_is_waited_for_and_gets_each_mail_once(scene):
    address = scene.address()
    scene.sink.delay = 2.5  # longer than a reply may take, shorter than the reply to the content may

    rows = scene.sent(scene.job(address))

    assert [row["attempts"] for row in rows.values()] == [1, 1]
    assert subjects(scene.sink.to(address)) == ONCE


def test_mails_that_hang_hold_up_others_for_seconds_only(scene):
    hanging, other = scene.address(), scene.address()
    with scene.sink.holding(hanging):
        job_id = scene.job(hanging)
        scene.sink.wait_until(lambda: hanging in scene.sink.arrived)

        scene.sent(scene.job(other), within=5)
        scene.deferred(job_id, "timed out")

    scene.sent(job_id)
    assert subjects(scene.sink.to(hanging)) == subjects(scene.sink.to(other)) == ONCE


def test_a_mail_that_is_taken_without_a_reply_is_sent_again_under_the_same_id(scene):
    address = scene.address()
    scene.sink.answers["KEPT"] = once(DROP, address)

    rows = scene.sent(scene.job(address))

    assert (rows["receipt"]["attempts"], rows["result"]["attempts"]) == (2, 1)
    assert subjects(scene.sink.to(address)) == {"API Notification": 2, "Your operation is complete!": 1}
    assert len({mail.message["Message-ID"] for mail in scene.sink.to(address)}) == 2


@pytest.mark.parametrize("limit", ["most_connections", "letters_each"])
def test_a_server_that_takes_one_connection_or_one_mail_on_each_gets_all_of_them(scene, limit):
    setattr(scene.sink, limit, 1)
    addresses = [scene.address() for _ in range(12)]

    ids = [scene.stack.compute(email=address) for address in addresses]

    for job_id, address in zip(ids, addresses, strict=True):
        scene.stack.finished(job_id)
        scene.sent(job_id)
        assert subjects(scene.sink.to(address)) == ONCE


# ---- faults that only the operator can correct


def test_mails_wait_until_the_operator_has_corrected_certificate_and_password(scene, tmp_path):
    if not HAS_OPENSSL:
        missing("the openssl command is not installed (apt-get install openssl)")
    good, stranger = Certificate.make(tmp_path / "good"), Certificate.make(tmp_path / "stranger")
    expired = Certificate.make(tmp_path / "expired", expired=True)
    elsewhere = Certificate.make(tmp_path / "elsewhere", "elsewhere.test")
    trusted = [each.certificate.read_bytes() for each in (good, expired, elsewhere)]
    (bundle := tmp_path / "trusted.pem").write_bytes(b"".join(trusted))
    address = scene.address()
    with SmtpSink(tls=expired, login=("apikey", "right")) as sink:
        wrong = sink.url.replace("right", "wrong")
        with scene.instead(scene.worker("forgot", SMTP_URL=wrong, MAIL_PAUSE="0.05", SSL_CERT_FILE=str(bundle))):
            job_id = scene.job(address)
            scene.deferred(job_id, "certificate has expired")
            sink.tls = elsewhere
            scene.deferred(job_id, "mismatch")
            sink.tls = stranger
            scene.deferred(job_id, "self-signed certificate")
            assert not sink.logins, "no server saw the password"
            sink.tls = good
            scene.deferred(job_id, "535")
            assert {row["state"] for row in scene.notes(job_id).values()} == {"pending"}
        with scene.instead(scene.worker("knows", SMTP_URL=sink.url, SSL_CERT_FILE=str(bundle))):
            scene.sent(job_id)

        assert subjects(sink.to(address)) == ONCE
        assert "wrong" not in "".join(log.read_text() for log in scene.stack.folder.glob("mail-*.log"))


def test_a_mail_is_given_up_after_mail_give_up_and_says_why(scene):
    with scene.instead(scene.worker("impatient", MAIL_GIVE_UP="1")):
        for step, answer in (("RCPT", "450 4.2.0 Not today"), ("CONNECT", "421 4.3.2 Not today")):
            scene.sink.behave()
            scene.sink.answers[step] = answer
            scene.sink.hang_up()
            job_id = scene.job(scene.address())

            rows = scene.wait(job_id, lambda row: row["state"] == "failed")

            assert {row["last_error"] for row in rows.values()} == {f"Given up after 1 s: {answer}"}
            assert scene.stack.status(job_id) == "succeeded"


# ---- the mail worker


def test_a_worker_killed_between_the_servers_yes_and_the_mark_sends_the_mail_twice_and_not_thrice(scene):
    address = scene.address()
    with ExitStack() as held:
        held.enter_context(scene.sink.holding(address))
        job_id = scene.receipt(address)
        scene.sink.wait_until(lambda: address in scene.sink.arrived)
        before = scene.mail.output().count("Mail sent")
        with scene.store.gone():  # so that nothing can be recorded
            held.close()
            until(lambda: scene.mail.output().count("Mail sent") > before, 10, "the server's 250 was read")
            scene.mail.kill9()
    assert scene.notes(job_id)["receipt"]["state"] == "pending"

    scene.mail.start()

    rows = scene.sent(job_id)
    assert rows["receipt"]["attempts"] == 2
    assert len(mails := scene.sink.to(address)) == 2
    assert len({mail.message["Message-ID"] for mail in mails}) == 1


def test_a_worker_killed_before_the_server_said_yes_sends_the_mail_once(scene):
    address = scene.address()
    with scene.sink.holding(address):
        job_id = scene.receipt(address)
        scene.sink.wait_until(lambda: address in scene.sink.arrived)
        scene.mail.kill9()

    scene.mail.start()

    assert scene.sent(job_id)["receipt"]["attempts"] == 2
    assert len(scene.sink.to(address)) == 1


def test_a_worker_that_stood_still_and_was_overtaken_marks_nothing(scene):
    address = scene.address()
    second = scene.worker("second")
    try:
        with scene.sink.holding(address):
            job_id = scene.receipt(address)
            scene.sink.wait_until(lambda: address in scene.sink.arrived)
            os.kill(scene.mail.process.pid, signal.SIGSTOP)
            second.start()
            # after the lease, the second worker sends the same receipt, so the server has it twice
            scene.sink.wait_until(lambda: scene.sink.arrived.count(address) >= 2, LEASE + 10)
        rows = scene.sent(job_id)

        os.kill(scene.mail.process.pid, signal.SIGCONT)
        until(lambda: f"action=mail_stale job_id={job_id}" in scene.mail.output(), 10, "its mark was refused")

        assert scene.notes(job_id) == rows
        assert len(scene.sink.to(address)) == 2
    finally:
        os.kill(scene.mail.process.pid, signal.SIGCONT)
        second.stop()


def test_a_lease_is_kept_for_as_long_as_a_mail_takes(scene):
    address = scene.address()
    second = scene.worker("second")
    try:
        second.start()
        with scene.sink.holding(address):
            job_id = scene.receipt(address)
            scene.sink.wait_until(lambda: address in scene.sink.arrived)
            first = scene.leased_until(job_id)
            until(lambda: scene.leased_until(job_id) > first + LEASE * 1000, 10, "it was renewed for a whole lease")

        rows = scene.sent(job_id)

        assert rows["receipt"]["attempts"] == 1
        assert len(scene.sink.to(address)) == 1
    finally:
        second.stop()


def test_a_worker_told_to_stop_finishes_the_mail_at_hand(scene):
    address = scene.address()
    with scene.sink.holding(address):
        job_id = scene.receipt(address)
        scene.sink.wait_until(lambda: address in scene.sink.arrived)
        scene.mail.process.terminate()
        until(lambda: "action=stopping" in scene.mail.output(), 10, "it stops")
    assert scene.mail.process.wait(15) == 0

    assert (row := scene.notes(job_id)["receipt"])["state"] == "sent"
    assert row["attempts"] == 1
    scene.mail.start()
    scene.sent(job_id)
    assert len(scene.sink.to(address)) == 1


def test_a_worker_told_to_stop_hands_back_what_takes_longer_than_its_grace(scene):
    address = scene.address()
    with scene.sink.holding(address), scene.instead(hurried := scene.worker("hurried", STOP_GRACE="0.5")):
        job_id = scene.receipt(address)
        scene.sink.wait_until(lambda: address in scene.sink.arrived)
        assert hurried.stop() == 0
        scene.deferred(job_id, "The mail worker was stopped")
        assert scene.leased_until(job_id) <= time.time() * 1000, "due at once"

    scene.mail.start()

    scene.sent(job_id)
    assert len(scene.sink.to(address)) == 1


def test_two_workers_send_three_hundred_mails_once_each(scene):
    job = {"operation": "sum", "arguments": {"value": 30, "other": 10}}
    addresses = [scene.address() for _ in range(150)]
    second = scene.worker("second")
    with scene.instead():
        posted = scene.stack.post("/jobs/batch", {"jobs": [job | {"email": address} for address in addresses]})
        ids = [row["id"] for row in posted.json()["jobs"]]
        for job_id in ids:
            scene.stack.finished(job_id)
    before = scene.mail.output().count("Mail sent"), second.output().count("Mail sent")
    try:
        for worker in (scene.mail, second):
            worker.start()
        until(scene.all_told, 60, "all are sent")
    finally:
        second.stop()

    ours = [mail for mail in scene.sink.messages if mail.recipients[0] in addresses]
    assert len(ours) == len({mail.message["Message-ID"] for mail in ours}) == 300
    assert scene.mail.output().count("Mail sent") - before[0] + second.output().count("Mail sent") - before[1] == 300
    assert {row["state"] for job_id in ids for row in scene.notes(job_id).values()} == {"sent"}


# ---- the order, the store, and letters


def test_receipts_go_out_before_results_even_when_all_jobs_have_ended_before(scene):
    addresses = [scene.address() for _ in range(10)]
    with scene.instead():
        ids = [scene.job(address) for address in addresses]

    scene.mail.start()

    for job_id, address in zip(ids, addresses, strict=True):
        scene.sent(job_id)
        receipt, result = scene.sink.to(address)
        assert sentence(receipt.message["Subject"]) == "API Notification"
        assert result.message["In-Reply-To"] == receipt.message["Message-ID"]


def test_a_mail_sent_while_the_store_is_away_is_marked_when_it_is_back_and_not_sent_again(scene):
    address = scene.address()
    second = scene.worker("second")
    try:
        second.start()
        with ExitStack() as held:
            held.enter_context(scene.sink.holding(address))
            job_id = scene.job(address)
            scene.sink.wait_until(lambda: address in scene.sink.arrived)
            with scene.store.gone():
                held.close()
                until(lambda: scene.sink.to(address), 10, "the server took it")
                # each looks once a second: the lease runs out, and nobody can keep it
                until(lambda: second.output().count("action=mail_waits") > LEASE + 1, 20, "seconds without a store")

        rows = scene.sent(job_id)

        assert [row["attempts"] for row in rows.values()] == [1, 1]
        assert subjects(scene.sink.to(address)) == ONCE
    finally:
        second.stop()


def test_a_letter_sent_by_rpc_is_stored_and_sent_once_even_if_its_worker_is_killed(scene):
    address = scene.address()
    lines = f"""
print('id', n.rpc.mail.send("{address}", "testing", "Just testing"))
"""
    command = [sys.executable, "-W", "ignore", "-m", "nameko", "shell", "--broker", scene.stack.env["AMQP_URI"]]
    with scene.sink.holding(address):
        shell = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
        assert "id " in shell.stdout, shell.stderr
        scene.sink.wait_until(lambda: address in scene.sink.arrived)
        scene.mail.kill9()

    scene.mail.start()

    scene.sink.wait_until(lambda: len(scene.sink.to(address)) == 1, 20)
    until(scene.all_told, 10, "marked")
    assert [mail.message["Subject"] for mail in scene.sink.to(address)] == ["testing"]
