"""The classes of rows."""

import pytest

from textcentric.errors import DataError
from textcentric.methods.fusion.labels import classes_of
from textcentric.rows import Record


@pytest.mark.parametrize(("targets", "have"), [((None, None), "no class"), (("a", None), "a")])
def test_fewer_than_two_classes_say_which_there_are_and_what_to_do(
    targets: tuple[str | None, ...], have: str
) -> None:
    rows = [Record(f"r{at}", {}, target) for at, target in enumerate(targets)]
    words = rf"training rows have {have}, and a classifier needs two classes; fill the target \("
    with pytest.raises(DataError, match=words):
        classes_of(rows, unlabelled=True)
