"""Answers: appended, several readers, safe against a kill and against two who save at once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from textcentric.errors import DataError
from textcentric.reading.answers import Answer, append, by_reader, read_answers, word_of


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "reading").mkdir()
    return tmp_path


def words(run: Path) -> dict[tuple[str, str], str]:
    return {(a.reader, a.item): a.word for a in read_answers(run)}


def test_the_last_word_counts_and_an_answer_can_be_taken_back(run: Path) -> None:
    append(run, [Answer("d", "001", "anna", "same"), Answer("d", "002", "anna", "less")])
    append(run, [Answer("d", "001", "anna", "changed"), Answer("d", "002", "anna", "")])
    assert words(run) == {("anna", "001"): "changed"}


def test_readers_stand_apart(run: Path) -> None:
    append(run, [Answer("d", "001", "anna", "same"), Answer("d", "001", "bob", "garbled")])
    readers = by_reader(read_answers(run))
    assert {name: of["001"].word for name, of in readers.items()} == {
        "anna": "same",
        "bob": "garbled",
    }


def test_a_line_that_a_kill_tore_costs_that_line_alone(run: Path) -> None:
    append(run, [Answer("d", "001", "anna", "same"), Answer("d", "002", "anna", "less")])
    path = run / "reading" / "answers.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    append(run, [Answer("d", "003", "anna", "garbled")])
    assert words(run) == {("anna", "001"): "same", ("anna", "003"): "garbled"}


def save(run: Path, reader: str, count: int) -> None:
    for number in range(count):
        append(run, [Answer("d", f"{number:03d}", reader, "same", edited={"text": "x" * 3000})])


def test_two_readers_who_save_at_once_lose_nothing(run: Path) -> None:
    context = multiprocessing.get_context("fork")
    readers = [context.Process(target=save, args=(run, name, 40)) for name in ("anna", "bob")]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert {name: len(of) for name, of in by_reader(read_answers(run)).items()} == {
        "anna": 40,
        "bob": 40,
    }


@pytest.mark.parametrize(("said", "word"), [("s", "same"), (" Less ", "less"), ("g", "garbled")])
def test_words_are_taken_by_their_first_letter_too(said: str, word: str) -> None:
    assert word_of(said) == word


def test_a_word_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="unknown word 'chnged'; did you mean 'changed'"):
        word_of("chnged")
