"""The origin of a training text says which words its experts used."""

import pytest

from textcentric.evaluation.prediction import training_config
from textcentric.runs.origin import Names, Origin


@pytest.mark.parametrize(
    ("experts", "words"),
    [
        ({"image": [["efficientnet-lite0", "1.0-ab12-words1"]]}, "all"),
        ({"image": [["efficientnet-lite0", "1.0-ab12-words2"]]}, "sure"),
        ({"image": [["labels", "1"]]}, "all"),
        ({"image": [["pixels", "1-words1"]], "audio": [["sound", "1-words2"]]}, "sure"),
        ({}, "all"),
    ],
)
def test_new_rows_are_said_as_the_training_rows_were(experts: Names, words: str) -> None:
    origin = Origin(experts=experts)
    assert origin.expert_words() == words
    assert training_config(origin).expert_words == words
