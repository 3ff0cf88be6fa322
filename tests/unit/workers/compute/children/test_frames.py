"""The frames between worker and child arrive whole, wherever the stream was cut."""

from workers.compute.children.frames import FrameReader, pack


def test_frames_are_found_wherever_they_are_cut():
    frames = [({"about": "run", "job": 1}, '{"value":"é🙂"}'), ({"about": "cancel", "job": 1}, "")]
    data = b"".join(pack(header, payload) for header, payload in frames)
    unpacker = FrameReader()

    found = [frame for byte in data for frame in unpacker.feed(bytes([byte]))]

    assert found == frames


def test_half_a_character_survives():
    [(_, payload)] = FrameReader().feed(pack({"about": "run"}, "\ud800"))

    assert payload == "\ud800"
