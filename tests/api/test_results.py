"""What functions give back, how far they are, and what is said of a wrong argument."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import textcentric as tc
from tests.support.small_run import model, records, run
from textcentric.api.progress import Line
from textcentric.api.results import Result
from textcentric.data.memory import InHand
from textcentric.data.schema import Schema
from textcentric.data.shown import html_table
from textcentric.errors import ConfigError, RequestError, RunError


def test_a_table_of_a_notebook_holds_text_alone() -> None:
    table = html_table([{"<id>": "<script>", "score": 0.123456}], "runs/<b>")
    assert "<script>" not in table
    assert "<td>&lt;script&gt;</td><td>0.1235</td>" in table
    assert "<caption>runs/&lt;b&gt;</caption>" in table


def test_a_long_table_says_how_many_rows_it_leaves_out() -> None:
    assert "<caption>5 more rows</caption>" in html_table([{"n": n} for n in range(25)])


def test_a_result_is_values_a_frame_and_a_data_set() -> None:
    result = Result(Path("there"), {"rows": 2}, [{"id": "a", "n": 1}, {"id": "b", "n": 2}])
    assert result.to_dict() == {"rows": 2}
    assert result["rows"] == 2
    assert list(result.to_pandas()["n"]) == [1, 2]
    assert result.dataset.column_names == ["id", "n"]
    assert repr(result) == f"Result(path={Path('there')!r})"


def test_a_run_is_a_frame_and_a_table_of_its_prompts(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 4)
    assert len(done.to_pandas()) == done.totals["accepted"]
    assert done.to_dict()["path"] == str(tmp_path / "run")
    assert "<td>own/whole</td>" in done._repr_html_()
    assert tc.list_runs(tmp_path)[0] == done
    assert list(tc.list_runs(tmp_path).to_pandas()["status"]) == ["finished"]


def test_a_run_is_opened_by_path_or_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(Path("runs/first"), 2)
    assert tc.Run("runs/first") == tc.Run("first") == tc.Run(Path("runs/first")) == done
    assert tc.Run("first").status == "finished"


def test_what_is_no_run_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows").mkdir()
    run(Path("runs/first"), 2)
    with pytest.raises(RunError, match="rows holds no run"):
        tc.Run("rows")
    with pytest.raises(ConfigError, match="unknown run 'frist'; did you mean 'first'"):
        tc.Run("frist")
    with pytest.raises(ConfigError, match="a run is 5, expected its folder"):
        tc.Run(5)  # type: ignore[arg-type]


def test_progress_is_told_to_a_function(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    run(tmp_path / "run", 4, progress=lambda *step: told.append(step))
    assert told[-1] == ("rows", 4, 4)


def test_without_progress_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "run", 2)
    assert capfd.readouterr() == ("", "")


def test_reading_the_rows_of_a_run_prints_nothing(tmp_path: Path) -> None:
    run(tmp_path / "run", 2)
    code = "import sys, textcentric as tc; assert len(tc.Run(sys.argv[1]).dataset)"
    shown = {n: v for n, v in os.environ.items() if n != "HF_DATASETS_DISABLE_PROGRESS_BARS"}
    shown["HF_HOME"] = str(tmp_path / "cache")
    read = [sys.executable, "-c", code, str(tmp_path / "run")]
    done = subprocess.run(read, capture_output=True, text=True, check=True, env=shown)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_run_shows_its_status_and_counts_variants_as_the_screen_does(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2, "A calm dog.", prompts="own/whole")
    counts = "requested=2, accepted=2, rejected=0, failed=0, pending=0, clean=2"
    assert repr(done) == f"Run({str(tmp_path / 'run')!r}, status='finished', {counts})"
    assert done.totals["accepted"] == 4  # clean rows too
    assert list(tc.list_runs(tmp_path).to_pandas()["accepted"]) == [2]


def test_a_run_of_which_nothing_came_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done = run(tmp_path / "run", 2, RequestError("the server is down"), prompts="own/whole")
    assert done.status == "failed"
    assert "status='failed', requested=2, accepted=0" in repr(done)
    (warning,) = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert warning.getMessage() == f"nothing came of {done}: its errors say why"


def test_rows_without_a_schema_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": "a", "text": "A calm dog.", "price": 3.5}]
    tc.describe(rows)
    assert [(line.name, line.levelname) for line in caplog.records] == [("textcentric", "WARNING")]
    assert "the columns id, text, price are" in caplog.text
    assert "schema={'text': 'text', 'target': 'price'}" in caplog.text
    caplog.clear()
    tc.describe(rows, schema={"text": "text", "target": "price", "task": "regression"})
    assert caplog.text == ""


def test_the_notes_of_rows_are_warnings_or_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = InHand(records(2), Schema(), notes=("these are not the real rows",))
    run(tmp_path / "quiet", rows)
    assert caplog.messages == ["these are not the real rows"]
    assert caplog.records[0].levelno == logging.WARNING
    run(tmp_path / "shown", rows, progress=True)
    assert caplog.messages == ["these are not the real rows"]
    assert "these are not the real rows\n" in capfd.readouterr().err


def test_with_progress_a_line_is_written_over() -> None:
    written: list[str] = []
    line = Line(written.append)
    line("rows", 2, 2)
    line("rows", 3, 3)
    line.say("done")
    assert written == ["\rrows: 2 of 2", "\rrows: 3 of 3", "\n", "done\n"]


def test_a_pilot_says_what_all_rows_would_take(tmp_path: Path) -> None:
    pilot = tc.estimate(
        records(30), prompts="bank", engine=tc.ScriptedEngine(model), embeddings=False,
        summarize=False, output_dir=tmp_path / "run",
    )  # fmt: skip
    assert (pilot["rows"], pilot["pilot_rows"]) == (30, 20)
    assert list(pilot.to_pandas()["of"]) == ["prompt_tokens", "output_tokens", "seconds"]


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown method 'downstram'; did you mean 'downstream'"):
        tc.train("downstram")
    with pytest.raises(ConfigError, match="unknown key of train downstream 'max_step'; did you"):
        tc.train("downstream", "rows.csv", max_step=1)
    with pytest.raises(ConfigError, match="unknown key of predict 'outputs'; did you mean 'output"):
        tc.predict("models/first", [{"id": "a"}], outputs="p.csv")
    with pytest.raises(ConfigError, match="unknown method to ablate 'crtm'; did you mean 'crmt'"):
        tc.ablate("crtm")
    with pytest.raises(ConfigError, match="which rows"):
        tc.train("downstream")
    with pytest.raises(ConfigError, match="unknown key of compare 'arm'; did you mean 'arms'"):
        tc.compare("petfinder", arm="constant", engine="scripted")


@pytest.mark.parametrize("setting", ["engine", "prompts", "output_dir", "dataset"])
def test_describe_refuses_what_it_does_not_read(setting: str) -> None:
    settings: dict[str, Any] = {setting: "x"}
    with pytest.raises(ConfigError, match=f"unknown key of describe '{setting}'"):
        tc.describe(records(1), **settings)


def test_rows_in_hand_are_all_described_and_of_a_file_the_first_five(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,age\n" + "".join(f"a{n},{n}\n" for n in range(8)))
    assert len(tc.describe(records(8)).table) == 8
    assert len(tc.describe(records(8), limit=2).table) == 2
    assert len(tc.describe(file).table) == 5


@pytest.mark.parametrize("engine", [42, None, tc.ScriptedEngine])
def test_what_is_no_engine_is_refused(engine: Any) -> None:
    with pytest.raises(ConfigError, match=r"engine is .+, expected the name of one"):
        tc.augment(records(1), engine=engine)


def test_wrong_arguments_are_answered_in_one_sentence() -> None:
    wrong: Any = None
    own = tc.ScriptedEngine()
    with pytest.raises(ConfigError, match="prompts are None, expected a name"):
        tc.augment(records(1), engine=own, prompts=wrong)
    with pytest.raises(ConfigError, match="limit is '2', expected a number of rows"):
        tc.load("rows.csv", limit="2")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="the answer is 5, expected a text"):
        tc.ScriptedEngine(5)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match="unknown key of augment 'promts'; did you mean 'prompts'"
    ):
        tc.AugmentConfig(promts="x")
    with pytest.raises(ConfigError, match="limit='x': Input should be a valid integer"):
        tc.AugmentConfig(limit="x")
    mixed: Any = [*records(1), {"id": "a"}]
    with pytest.raises(ConfigError, match="a mixed list, of Record and dict; give rows of one"):
        tc.describe(mixed)


def test_what_is_said_twice_is_refused() -> None:
    own = tc.ScriptedEngine()
    with pytest.raises(ConfigError, match="dataset='airbnb' says again what an argument says"):
        tc.augment("petfinder", dataset="airbnb")
    with pytest.raises(ConfigError, match="the one given is open, so leave model out"):
        tc.augment(records(1), engine=own, model="zzz")
    with pytest.raises(ConfigError, match="dataset='airbnb' says again"):
        tc.predict("models/first", "petfinder", dataset="airbnb")
    for function in (tc.latents, tc.compare):
        with pytest.raises(ConfigError, match="dataset='airbnb' says again"):
            function("petfinder", dataset="airbnb")
    with pytest.raises(ConfigError, match="dataset='airbnb' says again"):
        tc.evaluate_fusion("models/first", "petfinder", dataset="airbnb")
    with pytest.raises(ConfigError, match="dataset='airbnb' says again"):
        tc.train("crmt", "petfinder", dataset="airbnb")
    with pytest.raises(ConfigError, match="dataset='airbnb' says again"):
        tc.ablate("crmt", "petfinder", dataset="airbnb")
    with pytest.raises(ConfigError, match="the one given is open, so leave base_url out"):
        tc.evaluate("models/first", "petfinder", engine=own, base_url="http://localhost/v1")


def test_a_run_is_not_loaded_as_a_model(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2)
    with pytest.raises(ConfigError, match=r'is a run, not a model; train one: tc.train\("downstr'):
        tc.load_model(str(done.path))


def test_a_method_to_ablate_is_looked_up_before_anything_is_imported() -> None:
    code = """
import sys, textcentric as tc
try:
    tc.ablate("downstream")
except tc.ConfigError as error:
    print(error, "torch" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("unknown method to ablate 'downstream'")
    assert said.stdout.endswith(" False\n")


def test_the_wheel_says_that_the_package_has_types() -> None:
    from hatchling.builders.wheel import WheelBuilder

    root = Path(tc.__file__).parent.parent
    files = {file.distribution_path for file in WheelBuilder(str(root)).recurse_included_files()}
    assert {"textcentric/py.typed", "textcentric/__init__.py"} <= files
