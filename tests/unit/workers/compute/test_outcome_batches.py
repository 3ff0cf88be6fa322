"""Outcomes that come one by one are concluded together."""

from eventlet.event import Event

from workers.compute.outcome_batches import MOST_OUTCOMES, OutcomeBatches


def test_outcomes_that_come_during_a_commit_are_the_next_batch():
    concluded, batches = [], OutcomeBatches()
    begun, go_on = Event(), Event()

    def conclude(outcomes):
        concluded.append(list(outcomes))
        if not begun.ready():
            begun.send()
            go_on.wait()

    for _ in range(5):
        batches.expect()
    batches.add(0, conclude)
    begun.wait()
    for number in range(1, 5):
        batches.add(number, conclude)
    go_on.send()
    batches.wait(5)

    assert concluded == [[0], [1, 2, 3, 4]]


def test_a_batch_has_a_maximum_size():
    sizes, batches = [], OutcomeBatches()

    for number in range(2 * MOST_OUTCOMES + 1):
        batches.expect()
        batches.add(number, lambda outcomes: sizes.append(len(outcomes)))
    batches.wait(5)

    assert sizes == [MOST_OUTCOMES, MOST_OUTCOMES, 1]


def test_a_batch_that_fails_holds_up_no_other():
    concluded, batches = [], OutcomeBatches()

    def conclude(outcomes):
        concluded.extend(outcomes)
        if 0 in outcomes:
            raise ValueError

    for number in (0, 1):
        batches.expect()
        batches.add(number, conclude)
        batches.wait(5)

    assert concluded == [0, 1]
