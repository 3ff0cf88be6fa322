"""What worker and child make of bytes: lines of a log, frames of a conversation."""

import os
import subprocess
import sys

import pytest

from workers.compute.children.frames import FrameReader, pack
from workers.compute.children.output_lines import AT_ONCE, LONGEST, OutputLines
from workers.compute.children.process_tree import children_of, family_of, memory_of


@pytest.fixture
def log() -> list[str]:
    return []


class TestLines:
    def test_pieces_become_lines(self, log):
        lines = OutputLines(log.append)

        for piece in (b"o", b"ne\ntw", b"o\r\n\nfo", b"ur"):
            lines.feed(piece)
        lines.close()

        assert log == ["one", "two", "", "four"]

    @pytest.mark.parametrize("letter", ["x", "é", "🙂"])
    @pytest.mark.parametrize("piece", [1, 7, 10**6])
    def test_a_long_line_is_cut_wherever_its_pieces_were(self, log, letter, piece):
        lines = OutputLines(log.append)
        data = f"{letter * 5000}\n{letter * LONGEST}\nshort\n".encode()

        for start in range(0, len(data), piece):
            lines.feed(data[start : start + piece])

        assert log == [letter * (LONGEST - 1) + "…", letter * LONGEST, "short"]

    def test_what_is_no_text_is_a_line_all_the_same(self, log):
        OutputLines(log.append).feed(b"\xff\xfe\x00\n")

        assert log == ["\ufffd\ufffd\x00"]

    def test_of_a_flood_some_is_delivered_and_the_rest_is_counted(self, log):
        lines = OutputLines(log.append)

        for start in range(0, 100_000, 1000):
            lines.feed(b"".join(b"line %d\n" % number for number in range(start, start + 1000)))
        lines.close()

        told = [int(line.split()[1]) for line in log if line.startswith("…")]
        assert log[:AT_ONCE] == [f"line {number}" for number in range(AT_ONCE)]
        assert len(log) - len(told) + sum(told) == 100_000
        assert len(log) < 5000

    def test_a_line_without_end_takes_no_memory(self, log):
        lines = OutputLines(log.append)

        for _ in range(1000):
            lines.feed(b"x" * 100_000)

        assert len(lines._rest) < 5 * LONGEST
        assert log == []


class TestFrames:
    def test_frames_are_found_wherever_they_are_cut(self):
        frames = [({"about": "run", "job": 1}, '{"value":"é🙂"}'), ({"about": "cancel", "job": 1}, "")]
        data = b"".join(pack(header, payload) for header, payload in frames)
        unpacker = FrameReader()

        found = [frame for byte in data for frame in unpacker.feed(bytes([byte]))]

        assert found == frames

    def test_half_a_character_survives(self):
        [(_, payload)] = FrameReader().feed(pack({"about": "run"}, "\ud800"))

        assert payload == "\ud800"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_family_is_a_process_with_all_below_it():
    code = "import subprocess, sys; subprocess.run(['cat'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        process.stdout.readline()  # both run by now

        family = family_of(process.pid)

        assert process.pid in children_of(os.getpid())
        assert family == [process.pid, *children_of(process.pid)]
        assert len(family) == 2
        assert memory_of(family) > 2**20
        process.kill()
