"""What an operation prints becomes lines of its job's log, of bounded length and number."""

import pytest

from workers.compute.children.output_lines import AT_ONCE, LONGEST, OutputLines


@pytest.fixture
def log() -> list[str]:
    return []


def test_pieces_become_lines(log):
    lines = OutputLines(log.append)

    for piece in (b"o", b"ne\ntw", b"o\r\n\nfo", b"ur"):
        lines.feed(piece)
    lines.close()

    assert log == ["one", "two", "", "four"]


@pytest.mark.parametrize("letter", ["x", "é", "🙂"])
@pytest.mark.parametrize("piece", [1, 7, 10**6])
def test_a_long_line_is_cut_wherever_its_pieces_were(log, letter, piece):
    lines = OutputLines(log.append)
    data = f"{letter * 5000}\n{letter * LONGEST}\nshort\n".encode()

    for start in range(0, len(data), piece):
        lines.feed(data[start : start + piece])

    assert log == [letter * (LONGEST - 1) + "…", letter * LONGEST, "short"]


def test_what_is_no_text_is_a_line_all_the_same(log):
    OutputLines(log.append).feed(b"\xff\xfe\x00\n")

    assert log == ["\ufffd\ufffd\x00"]


def test_of_a_flood_some_is_delivered_and_the_rest_is_counted(log):
    lines = OutputLines(log.append)

    for start in range(0, 100_000, 1000):
        lines.feed(b"".join(b"line %d\n" % number for number in range(start, start + 1000)))
    lines.close()

    left_out = [int(line.split()[1]) for line in log if line.startswith("…")]
    assert log[:AT_ONCE] == [f"line {number}" for number in range(AT_ONCE)]
    assert len(log) - len(left_out) + sum(left_out) == 100_000
    assert len(log) < 5000


def test_a_line_without_end_takes_no_memory(log):
    lines = OutputLines(log.append)

    for _ in range(1000):
        lines.feed(b"x" * 100_000)

    assert len(lines._rest) < 5 * LONGEST
    assert log == []
