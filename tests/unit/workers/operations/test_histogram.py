"""The operation `histogram`: numbers as a picture."""

import json
import struct
import subprocess
import sys
from io import BytesIO
from time import process_time

import pytest
from PIL import Image

from errand.presenting.result_shape import image_of
from workers.compute.attempt import attempt
from workers.formats.charts import BAR, HEIGHT, WIDTH, axis_ticks
from workers.operations import OPERATIONS
from workers.operations.histogram import MAX_TITLE, bars_of, histogram


def picture_of(numbers, **options) -> Image.Image:
    return Image.open(BytesIO(histogram(numbers, **options).content)).convert("RGB")


def filled(image: Image.Image) -> int:
    """How many pixels are bars."""
    colour = struct.unpack("3B", bytes.fromhex(BAR[1:]))
    return sum(count for count, each in image.getcolors(WIDTH * HEIGHT) if each == colour)


# ---- what is counted


@pytest.mark.parametrize(
    ("numbers", "bins", "counts"),
    [
        ([0, 1, 2, 3, 4], 4, [1, 1, 1, 2]),  # the largest belongs to the last
        ([0, 10], 3, [1, 0, 1]),
        ([7], 3, [0, 1, 0]),
        ([5, 5, 5, 5], 2, [0, 4]),
        ([-1e300, 0, 1e300], 2, [1, 2]),
        ([10**18, 10**18 + 1], 1, [2]),
        ([1e-300, 5e-324], 1, [2]),
        ([0.1] * 3 + [0.2], 10, [3, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ],
)
def test_numbers_are_counted_in_spans_of_one_width(numbers, bins, counts):
    bars = bars_of(numbers, bins)

    assert bars.counts == counts
    assert bars.low <= min(numbers) <= max(numbers) <= bars.high
    assert bars.low < bars.high


@pytest.mark.parametrize(("count", "bins"), [(1, 1), (8, 3), (100, 10), (100_000, 50)])
def test_without_a_wish_there_are_as_many_bars_as_the_root_of_the_numbers(count, bins):
    assert f"Bars: {bins};" in histogram(list(range(count))).alt


# ---- what is drawn


def test_it_is_a_png_that_says_in_words_what_it_shows():
    found = image_of(histogram([2, 4, 4, 4, 5, 5, 7, 9], 7, "Eight <numbers>").model_dump_json())

    assert found.media_type == "image/png"
    assert Image.open(BytesIO(found.content)).size == (WIDTH, HEIGHT)
    assert len(found.content) < 50_000
    assert found.alt == "Eight <numbers>. Numbers: 8, from 2 to 9. Bars: 7; the highest counts 3, from 4 to 5."


def test_the_same_numbers_make_the_same_picture_whatever_their_order():
    assert histogram([1, 2, 3]) == histogram([3, 1, 2])
    assert histogram([1, 2, 3]) != histogram([1, 2, 4])


def test_higher_bars_take_more_room():
    assert filled(picture_of([0, 0, 0, 0, 1], bins=2)) < filled(picture_of([0, 0, 1, 1], bins=2))


def test_a_single_one_among_many_is_still_seen():
    image = picture_of([0] * 99_999 + [1], bins=2)

    right = image.crop((WIDTH * 3 // 4, 0, WIDTH, HEIGHT))
    assert filled(right) > WIDTH // 10


@pytest.mark.parametrize(
    "numbers",
    [[1e300, -1e300], [1e-300, 2e-300], [10**18] * 3, [1e9, 1e9 + 1], [1e15, 1e15 + 8], [-0.0], [0.1, 0.2, 0.30000001]],
)
@pytest.mark.parametrize("bins", [1, 7, 100])
def test_numbers_of_every_size_are_drawn(numbers, bins):
    assert filled(picture_of(numbers, bins=bins)) > 1_000


@pytest.mark.parametrize(
    "title",
    [
        "",
        "W" * MAX_TITLE,
        "漢" * MAX_TITLE,
        "ﷺ" * MAX_TITLE,
        "e\u0301" * 50,
        "漢字 💥 grüße",
        "\u202eabc\0\r\n",
        "\ud800",
    ],
)
def test_every_title_fits(title):
    image = picture_of([1, 2, 3], title=title)

    edge = image.crop((0, 0, 8, HEIGHT))
    assert edge.getcolors() == [(8 * HEIGHT, (255, 255, 255))]


@pytest.mark.parametrize(
    "title",
    [
        "Łódź, Øresund",
        "€ 100 ½ ±5 °C",
        "Привет",
        "Ελληνικά",
        "売上",
        "销售额",
        "매출",
        "ขาย",
        "बिक्री",
        "مبيعات",
        "מכירות",
        "ქართული",
        "Հայերեն",
        "ኢትዮጵያ",
        "விற்பனை",
        "→ ∑ ≤ ✓",
        "😀",
    ],
)
def test_every_character_of_a_title_is_drawn(title):
    empty = picture_of([1, 2, 3], title="")
    box = picture_of([1, 2, 3], title="\U000e5678")
    for character in set(title) - {" "}:
        assert picture_of([1, 2, 3], title=character) not in (empty, box)


def test_letters_with_accents_are_told_apart():
    pictures = [picture_of([1], title=title).tobytes() for title in ("Lodz", "Łódź", "Lo\u0301dz", "Lódz", "ßs", "sss")]

    assert len(set(pictures)) == 5, "a letter and its accent may be written as one character or as two"


# ---- axes


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 10, ["0", "2", "4", "6", "8", "10"]),
        (-0.5, 0.5, ["-0.4", "-0.2", "0.0", "0.2", "0.4"]),
        (12.2, 90.8, ["20", "40", "60", "80"]),
        (0, 250_000, ["0", "50,000", "100,000", "150,000", "200,000", "250,000"]),
        (1e9, 1e9 + 1, ["1,000,000,000.0", "1,000,000,000.2", "1,000,000,000.4"]),
        (9.5e17, 1.05e18, ["9.6e17", "9.8e17", "1e18", "1.02e18", "1.04e18"]),
        (-1e300, 1e300, ["-1e300", "-5e299", "0", "5e299", "1e300"]),
        (1e-7, 3e-7, ["1e-7", "1.5e-7", "2e-7", "2.5e-7", "3e-7"]),
    ],
)
def test_axes_have_round_numbers(low, high, words):
    assert [text for _, text in axis_ticks(low, high, 6)][: len(words)] == words


@pytest.mark.parametrize(("most", "words"), [(1, ["0", "1"]), (3, ["0", "1", "2", "3"]), (7, ["0", "2", "4", "6"])])
def test_counts_are_whole(most, words):
    assert [text for _, text in axis_ticks(0, most, 6, whole=True)] == words


@pytest.mark.parametrize("span", [1e-9, 0.3, 1, 7, 99, 12345, 1e12])
@pytest.mark.parametrize("low", [0, -5, 3.3, 1e6])
def test_no_two_numbers_of_an_axis_look_the_same(low, span):
    for most in (2, 3, 4, 5, 6):
        texts = [text for _, text in axis_ticks(low, low + span, most)]
        assert 1 <= len(texts) == len(set(texts)) <= most + 1


# ---- as an operation


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"numbers": []},
        {"numbers": ["1"]},
        {"numbers": [1e301]},
        {"numbers": [1], "bins": 0},
        {"numbers": [1], "bins": 101},
        {"numbers": [1], "bins": 1.5},
        {"numbers": [1], "title": "x" * (MAX_TITLE + 1)},
        {"numbers": [1], "colour": "red"},
    ],
    ids=str,
)
def test_what_it_does_not_take_is_refused(arguments):
    ending = attempt(OPERATIONS["histogram"], json.dumps(arguments), 1_000_000)

    assert ending.kind == "failed"


def test_a_hundred_thousand_numbers_take_seconds_at_most():
    started = process_time()

    histogram([n * 0.37 % 11 for n in range(100_000)], 100)

    assert process_time() - started < 5


def test_only_who_draws_loads_the_library():
    code = "import sys, workers.operations; workers.operations.OPERATIONS; print('PIL' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
