"""The layout of a mail's text part: tables in columns, rows as blocks."""

from workers.mail.writing.text_layout import MAX_CELL, MAX_LINES, WIDTH, table_as_text, wrapped


def test_a_sentence_is_broken_between_words_only():
    text = wrapped(f"one  two\n{'x' * 100} " + "three-four " * 10)

    assert text.splitlines()[:2] == ["one two", "x" * 100]
    assert "three-\n" not in text
    assert max(map(len, text.splitlines()[2:])) <= WIDTH


def test_columns_are_as_wide_as_their_cells_and_numbers_are_right_aligned():
    text, shown = table_as_text(("name", "n"), [("Ada", "1815"), ("Alan M.", "")], (False, True))

    assert text.splitlines() == ["name        n", "-------  ----", "Ada      1815", "Alan M."]
    assert shown == 2


def test_wide_characters_count_twice_and_combining_ones_not_at_all():
    text, _ = table_as_text(("a", "b"), [("漢字", "x"), ("e\u0301", "x"), ("abcd", "x")], (False, False))

    assert text.splitlines()[2:] == ["漢字  x", "e\u0301     x", "abcd  x"]


def test_names_and_values_have_no_header():
    assert table_as_text(("", ""), [("sum", "40"), ("count", "8")], (False, True))[0].splitlines() == [
        "sum    40",
        "count   8",
    ]


def test_an_empty_row_is_still_a_line():
    assert table_as_text(("value",), [("1",), ("",)], (True,))[0].splitlines() == ["value", "-----", "    1", "-"]


def test_rows_that_are_wider_than_a_line_become_blocks():
    text, shown = table_as_text(("a", "b", "c"), [("x" * 30, "", "z" * 30), ("1", "2 " * 60, "3")], (False,) * 3)

    assert text.splitlines()[:4] == [f"a: {'x' * 30}", f"c: {'z' * 30}", "", "a: 1"]
    assert max(map(len, text.splitlines())) <= WIDTH
    assert shown == 2


def test_one_long_cell_makes_all_rows_blocks():
    assert table_as_text(("a",), [("x" * (MAX_CELL + 1),)], (False,))[0] == f"a: {'x' * (MAX_CELL + 1)}"
    assert table_as_text(("", ""), [("a", "x y " * 15)], (False, False))[0] == "a: " + ("x y " * 15).strip()


def test_as_many_blocks_are_shown_as_fit_and_at_least_one():
    rows = [tuple(f"{'x' * 20}{n}" for n in range(9))] * 50

    text, shown = table_as_text(tuple("abcdefghi"), rows, (False,) * 9)

    assert text.count("\n") + 1 <= MAX_LINES
    assert shown == text.count("\n\n") + 1 == 6
    assert table_as_text(tuple(map(str, range(200))), [("x" * 20,) * 200], (False,) * 200)[1] == 1
