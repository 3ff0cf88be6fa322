"""The processes of `make run`, before they have started; tests/e2e/test_make_run.py has the rest."""

from errand.embedded.process_group import ProcessGroup


def test_a_stop_asked_for_before_all_have_started_kills_nothing():
    group = ProcessGroup(stops_in=10)
    group.add("idle", ["sleep", "60"], {})

    group.terminate()
    group.kill()  # as the watching thread does again and again; there is no process to kill yet

    assert group.stopping
    assert group.running == ["idle"]
