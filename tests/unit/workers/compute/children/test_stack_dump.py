"""Stack dumps: what is kept of what faulthandler writes about a child."""

import threading

import workers.compute.child.one_at_a_time as runner
from workers.compute.children.stack_dump import trace_of_dump
from workers.compute.trace import NO_TRACE

LEAD = f"""  File "{runner.__file__}", line 84 in _run
  File "<frozen runpy>", line 88 in _run_code"""
CHANNEL = f"""Thread 0x00007f0000000001 (most recent call first):
  File "{runner.__file__.replace("one_at_a_time", "worker_channel")}", line 90 in _receive
  File "{threading.__file__}", line 982 in run
"""
MAIN = f"""Current thread 0x00007f0000000002 (most recent call first):
  File "{threading.__file__}", line 300 in wait
  File "/srv/reports.py", line 7 in total
  File "/srv/reports.py", line 3 in report
{LEAD}
"""


def test_it_keeps_the_operations_frames_and_names_its_line():
    trace = trace_of_dump(f"{CHANNEL}\n{MAIN}")

    assert trace.text.split("\n") == MAIN.split("\n")[:4]
    assert trace.place == "/srv/reports.py:7 in total"


def test_it_keeps_other_threads_of_the_operation():
    helper = 'Thread 0x1 (most recent call first):\n  File "/srv/reports.py", line 9 in help\n'

    trace = trace_of_dump(f"{CHANNEL}\n{helper}\n{MAIN}")

    assert "line 9 in help" in trace.text


def test_a_crash_keeps_its_reason():
    crash = f"Fatal Python error: Aborted\n\n{MAIN}\nExtension modules: numpy (total: 1)\n"

    text = trace_of_dump(crash).text

    assert text.startswith("Fatal Python error: Aborted\n\nCurrent thread")
    assert text.endswith("Extension modules: numpy (total: 1)")


def test_a_child_that_only_waits_says_nothing():
    idle = f"Current thread 0x1 (most recent call first):\n{LEAD}\n"

    assert trace_of_dump(f"{CHANNEL}\n{idle}") == NO_TRACE
    assert trace_of_dump("") == NO_TRACE


def test_an_unknown_line_is_no_fault():
    assert trace_of_dump('Current thread 0x1:\n  File "/srv/a.py", line ??? in f').place == "/srv/a.py:0 in f"
