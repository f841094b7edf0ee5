"""`tc.inspect`: rows that nobody has described, by path or in hand."""

import textcentric as tc

ROWS = [{"key": f"k{n}", "size": n * n, "label": "ab"[n % 2]} for n in range(12)]


def test_a_generator_of_dictionaries_is_inspected_and_its_schema_reads_it() -> None:
    found = tc.inspect(dict(row) for row in ROWS)
    assert found.summary() == "id: key; target: label; task: classification"
    assert found.columns["size"].about() == "whole numbers, 0 to 121"
    assert found.commands() == []  # there is no path to give to a command
    assert len(tc.load(ROWS, schema=found.schema)) == len(ROWS)


def test_print_shows_the_file_of_the_schema() -> None:
    printed = str(tc.inspect(ROWS))
    assert "\ntarget: label " in printed
    assert "last column\n" in printed
