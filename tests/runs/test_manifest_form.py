"""A manifest of any content: read where it has the form of one, else called unreadable and why."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fake_run import write_run
from textcentric.cli.runs import diff_command, list_command, show_command
from textcentric.errors import RunError, TextCentricError
from textcentric.report.run import write_report
from textcentric.report.run_card import write_card
from textcentric.runs.listing import list_runs
from textcentric.runs.manifest import read_manifest
from textcentric.runs.origin import read_origin

# Values that JSON can hold and a run never wrote.
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**20), float("nan"), float("inf"), 1e300])
    | st.text(st.characters(codec=None), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """Return the path of every value below `value`."""
    if not isinstance(value, dict):
        return []
    below = [[(key, *path) for path in places(inner)] for key, inner in value.items()]
    return [*((key,) for key in value), *(path for paths in below for path in paths)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "Input should be a valid dictionary"),
        ("null", "Input should be a valid dictionary"),
        ("NaN", "a number that no run counts to"),
        ("[" * 100_000, "nested too deeply"),
        (f'{{"a": {"[" * 40}{"]" * 40}}}', "nested too deeply"),
        (f'{{"seconds": {"9" * 400}}}', "a number that no run counts to"),
        ('{"totals": 5}', "totals is 5: Input should be a valid dictionary"),
        ('{"counts": {"own/swap": []}}', "counts.own/swap is []"),
        ('{"reasons": {"own/swap": {"loop": "x"}}}', "reasons.own/swap.loop is 'x'"),
        ('{"dataset": "x"}', "dataset is 'x'"),
        ('{"started": 5}', "started is 5"),
        ('{"shards": {"data/part-00000.parquet": [1]}}', "shards.data/part-00000.parquet"),
    ],
)
def test_what_no_run_wrote_is_said_and_hides_no_other_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    write_run(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text(text)
    with pytest.raises(RunError) as error:
        read_manifest(tmp_path / "bad")
    assert why in str(error.value)
    runs = {Path(run["path"]).name: run["status"] for run in list_runs(tmp_path)}
    assert runs == {"good": "finished", "bad": "unreadable"}
    list_command(tmp_path, as_json=False)
    assert "good" in capsys.readouterr().out


def test_a_pipe_in_place_of_a_manifest_holds_nobody(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    os.mkfifo(tmp_path / "bad" / "manifest.json")
    (run,) = list_runs(tmp_path)
    assert "is a pipe" in run["problem"]


def test_keys_of_other_versions_and_keys_that_are_missing_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"status": "finished", "later": {"a": [1]}}')
    assert read_manifest(tmp_path) == {"status": "finished", "later": {"a": [1]}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[Any]]:
    """Write two runs, of which the second is to be changed."""
    parent = tmp_path_factory.mktemp("runs")
    write_run(parent / "good")
    write_run(parent / "bad")
    manifest = json.loads((parent / "good" / "manifest.json").read_text())
    manifest |= {"read": {"own/swap": "never read"}, "pieces": {"a": {"loop": 1}}, "cost": 1.5}
    manifest |= {"prices": {"input": 1.0}, "derived": {"a": {"written": 1, "absent": {"b": 2}}}}
    return parent, manifest, places(manifest)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_change_of_a_manifest_ends_in_another_error(
    data: st.DataObject, runs: tuple[Path, dict[str, Any], list[Any]]
) -> None:
    parent, manifest, known = runs
    changed = copy.deepcopy(manifest)
    for path in data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True)):
        below: Any = changed
        for key in path[:-1]:
            below = below.get(key) if isinstance(below, dict) else None
        if isinstance(below, dict):
            below[path[-1]] = data.draw(ODD)
    bad = parent / "bad"
    (bad / "manifest.json").write_text(json.dumps(changed))
    names = {Path(run["path"]).name for run in list_runs(parent)}
    assert names == {"good", "bad"}
    list_command(parent, as_json=True)
    list_command(parent, as_json=False)
    for read in (
        lambda: show_command(str(bad), as_json=False),
        lambda: show_command(str(bad), as_json=True),
        lambda: diff_command(str(parent / "good"), str(bad), as_json=False),
        lambda: read_origin(bad),
    ):
        try:
            read()
        except TextCentricError:
            continue
    assert write_report(bad).is_file()  # always made, whatever it has to leave out
    assert write_card(bad).is_file()
