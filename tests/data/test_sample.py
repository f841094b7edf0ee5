"""The built-in samples: any number of rows, the same every time, labels by the documented rule."""

import csv
from collections import Counter
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from random import Random
from statistics import pstdev

import pytest

from tests.support.small_disk import small_disk
from textcentric.data import check, load, names, write_sample
from textcentric.data.sample import airbnb, avito, petfinder, rule
from textcentric.data.sample.rule import Look
from textcentric.errors import ConfigError, DataError, StoppedError

MAKERS = {
    "petfinder": (petfinder.pets, "Description", "AdoptionSpeed"),
    "airbnb": (airbnb.homes, "Description", "Price_Night"),
    "avito": (avito.advertisements, "description", "deal_probability"),
}
Made = tuple[str, list[tuple[dict[str, str], Look | None]], str, str]


@pytest.fixture(scope="module", params=sorted(MAKERS))
def made(request: pytest.FixtureRequest) -> Made:
    make, text, target = MAKERS[request.param]
    rows = list(make(800, 0))
    return request.param, rows, text, target


def points(
    name: str, row: Mapping[str, str], look: Look | None, text: str
) -> tuple[float, float, float]:
    return (
        rule.table_points(name, row),
        rule.text_points(name, row[text]),
        rule.picture_points(name, look),
    )


def test_every_named_set_has_a_sample_that_passes_its_check(tmp_path: Path) -> None:
    assert names() == sorted(MAKERS)
    for name in names():
        folder = write_sample(name, tmp_path / name, rows=12)
        report = check(name, data_dir=folder)
        assert report.usable
        assert report.rows == 12
        beside = ("lack image files", "split test has", "none in train")  # said of so few rows
        assert all(any(words in line for words in beside) for line in report.warnings)


def test_a_sample_has_the_exact_columns_of_its_set(tmp_path: Path) -> None:
    folder = write_sample("petfinder", tmp_path / "pets", rows=3)
    with (folder / "train" / "train.csv").open(newline="") as file:
        assert next(csv.reader(file)) == petfinder.COLUMNS
    assert len(petfinder.COLUMNS) == 24


def test_no_two_descriptions_are_equal(made: Made) -> None:
    _, rows, text, _ = made
    assert len({row[text] for row, _ in rows}) == len(rows)


def test_the_first_rows_do_not_depend_on_how_many_there_are(made: Made) -> None:
    name, rows, _, _ = made
    assert list(MAKERS[name][0](5, 0)) == rows[:5]
    assert list(MAKERS[name][0](5, 1)) != rows[:5]


def test_the_label_follows_the_rule_but_for_a_little_noise(made: Made) -> None:
    name, rows, text, target = made
    exact = [rule.label(name, sum(points(name, row, look, text))) for row, look in rows]
    given = [float(row[target]) for row, _ in rows]
    if name == "petfinder":
        assert sum(a == b for a, b in zip(exact, given, strict=True)) > 0.85 * len(rows)
        assert max(abs(a - b) for a, b in zip(exact, given, strict=True)) == 1
    else:
        scale = max(given)
        assert max(abs(a - b) for a, b in zip(exact, given, strict=True)) < 0.25 * scale


def test_table_text_and_picture_each_carry_their_own_part(made: Made) -> None:
    name, rows, text, _ = made
    parts = list(zip(*(points(name, row, look, text) for row, look in rows), strict=True))
    spread = [pstdev(part) for part in parts]
    assert min(spread) > 0.5 * max(spread)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        product = [a * b for a, b in zip(parts[one], parts[other], strict=True)]
        means = [sum(parts[i]) / len(rows) for i in (one, other)]
        covariance = sum(product) / len(rows) - means[0] * means[1]
        assert abs(covariance / (spread[one] * spread[other])) < 0.15


def test_the_five_speeds_are_balanced() -> None:
    speeds = Counter(row["AdoptionSpeed"] for row, _ in petfinder.pets(1000, 0))
    assert sorted(speeds) == ["0", "1", "2", "3", "4"]
    assert min(speeds.values()) > 150
    assert max(speeds.values()) < 250


def test_the_descriptions_differ_in_length_and_manner() -> None:
    texts = [row["Description"] for row, _ in petfinder.pets(240, 0)]
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) < 12
    assert max(lengths) > 80
    openings = Counter(" ".join(text.split()[:3]).lower() for text in texts)
    assert len(openings) > 120
    words = {word.strip('.,!?:;"').lower() for text in texts for word in text.split()}
    assert len(words) > 700


def test_avito_is_written_in_russian() -> None:
    for row, _ in islice(avito.advertisements(50, 0), 50):
        letters = [c for c in row["title"] + row["description"] if c.isalpha()]
        assert sum("а" <= c.lower() <= "я" or c in "ёЁ" for c in letters) > 0.8 * len(letters)


def test_every_cue_phrase_counts_once_and_none_contains_another() -> None:
    for family, by_points in rule.CUES.items():
        phrases = [phrase for group in by_points.values() for phrase in group]
        assert len(set(phrases)) == len(phrases)
        for phrase in phrases:
            assert sum(other in phrase for other in phrases) == 1
        for value, group in by_points.items():
            assert rule.text_points(family.split()[0], f"And {group[0].upper()}!") == value


def test_the_sample_stands_in_for_an_absent_set_and_is_called_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TEXTCENTRIC_DATA", raising=False)
    rows = load("petfinder")
    assert (rows.name, rows.origin, rows.count()) == ("petfinder-sample", "sample", 240)
    note, absent = rows.notes
    assert absent.startswith(
        "32 of 240 rows lack image files: 32 whose id has none ('train_images/"
    )
    assert note.startswith(f"petfinder is not here (looked in {tmp_path / 'cache'}")
    assert "built-in sample: 240 rows written for this project" in note
    assert "kaggle.com" in note
    assert "\n" not in note
    assert [path.name for path in (tmp_path / "cache/textcentric/samples").iterdir()] == [
        "petfinder-v1-240"
    ]
    assert load("petfinder").digest == rows.digest


def test_a_sample_is_never_written_over_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(DataError, match="is not an empty folder"):
        write_sample("petfinder", tmp_path)
    with pytest.raises(ConfigError, match="did you mean 'airbnb'"):
        write_sample("airbn", tmp_path / "new")
    with pytest.raises(ConfigError, match="rows is 0"):
        write_sample("airbnb", tmp_path / "new", rows=0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_all_photos_of_a_pet_share_their_look(tmp_path: Path) -> None:
    from textcentric.data import open_picture
    from textcentric.experts.pixels import look_at

    folder = write_sample("petfinder", tmp_path / "pets", rows=15)
    for row in load("petfinder", data_dir=folder):
        looks = [look_at(open_picture(path)) for path in row.inputs.get("image", ())]
        assert len({look.sharpness for look in looks}) <= 1
        assert len({look.light.removeprefix("very ") for look in looks}) <= 1


def test_a_seed_draws_the_same_picture_twice() -> None:
    from textcentric.data.sample.drawing import draw

    look = rule.Look("normal", "sharp", "warm")
    one, other = (draw("cat", look, "ginger", Random(3)).tobytes() for _ in range(2))
    assert one == other


@pytest.mark.parametrize("name", ["petfinder", "airbnb", "avito"])
def test_a_sample_on_a_full_disk_is_one_clear_word_and_leaves_nothing(
    tmp_path: Path, name: str
) -> None:
    with small_disk(tmp_path / "disk", "40k"):
        with pytest.raises(StoppedError, match="No space left on device"):
            write_sample(name, tmp_path / "disk" / "sample", 20)
        assert list((tmp_path / "disk").iterdir()) == []
