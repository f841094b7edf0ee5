"""`augment` and `stream` for Python: rows in hand, the run as data sets, mistakes told early."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import textcentric as tc
from tests.support.small_run import hear_interrupts, model, record, records, run, write_prompts
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import ConfigError, DataError
from textcentric.runs.columns import FAILURE_COLUMNS, OUTPUT_COLUMNS


def test_a_run_gives_its_rows_as_data_sets(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 20)
    assert done.dataset.column_names == OUTPUT_COLUMNS[:-1]
    assert done.rejected.column_names == OUTPUT_COLUMNS
    assert done.errors.column_names == FAILURE_COLUMNS
    counts = done.manifest["totals"]
    assert (done.dataset.num_rows, done.rejected.num_rows, done.errors.num_rows) == (
        counts["accepted"],
        counts["rejected"],
        counts["failed"],
    )


def test_a_run_without_an_accepted_row_is_an_empty_data_set(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2, {"nothing fits": "x"})
    assert (done.dataset.num_rows, done.rejected.num_rows, done.errors.num_rows) == (0, 0, 8)
    assert done.dataset.column_names == OUTPUT_COLUMNS[:-1]
    assert done.rejected.column_names == OUTPUT_COLUMNS


def test_the_folder_itself_loads_by_its_card(tmp_path: Path) -> None:
    from datasets import load_dataset

    done = run(tmp_path / "run", 4)
    assert load_dataset(str(done.path))["train"].num_rows == done.manifest["totals"]["accepted"]


def test_a_loaded_hugging_face_data_set_can_be_augmented(tmp_path: Path) -> None:
    from datasets import Dataset

    rows = Dataset.from_list(
        [{"id": f"r{n}", "words": records(1)[0].inputs["text"], "price": n} for n in range(3)]
    )
    done = run(tmp_path / "run", rows, schema={"text": "words", "target": "price"}, perturb="all")
    assert done.manifest["totals"]["requested"] == 12


def test_a_csv_can_be_augmented_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,words\na,A calm dog lives here now.\nb,A bold cat lives there now.\n")
    done = run(tmp_path / "run", path, schema={"text": "words"}, perturb="all")
    assert {row["source_id"] for row in done.dataset} | {
        row["source_id"] for row in done.errors
    } == {"a", "b"}


def test_strings_stay_strings_as_targets(tmp_path: Path) -> None:
    done = run(tmp_path / "run", records(3, target="fast"))
    assert set(done.dataset["target"]) == {"fast"}


def test_absent_targets_are_none(tmp_path: Path) -> None:
    done = run(tmp_path / "run", records(3, target=None))
    assert set(done.dataset["target"]) == {None}


def test_options_that_narrow_the_rows_hold_for_records_too(tmp_path: Path) -> None:
    rows = [record(n, split="train" if n < 4 else "test") for n in range(8)]
    done = run(tmp_path / "limit", rows, limit=2)
    assert done.manifest["dataset"]["rows"] == 2
    done = run(tmp_path / "split", rows, split="test", perturb="all")
    assert {row["split"] for row in done.dataset} == {"test"}
    with pytest.raises(ConfigError, match="unknown split 'trian'; did you mean 'train'"):
        run(tmp_path / "wrong", rows, split="trian")
    with pytest.raises(DataError, match="no row has image"):
        run(tmp_path / "image", rows, require=("image",))


def test_rows_of_another_kind_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected Records, dictionaries, a data frame, a data"):
        run(tmp_path / "run", [1])
    with pytest.raises(ConfigError, match="got no rows"):
        run(tmp_path / "run", [])


def test_a_doubled_id_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the id 'r1' stands in more than one row"):
        run(tmp_path / "run", [record(1), record(2), record(1)])


def test_one_group_in_two_splits_is_an_error(tmp_path: Path) -> None:
    rows = [record(1, group="g", split="train"), record(2, group="g", split="test")]
    with pytest.raises(DataError, match="group 'g' stands in the splits test and train"):
        run(tmp_path / "run", rows)


def test_a_target_that_is_no_number_is_told_before_the_run(tmp_path: Path) -> None:
    rows = [record(1), record(2, target="cheap")]
    with pytest.raises(DataError, match="row 'r2' has target 'cheap', expected a number"):
        run(tmp_path / "run", rows, schema={"task": "regression"})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": 5}, "row 5: its id must be a text"),
        ({"id": ""}, "row '': its id must be a text"),
        ({"id": "\ud800"}, "id, group, split and target must be writable as UTF-8"),
        ({"target": "\ud800"}, "id, group, split and target must be writable as UTF-8"),
        ({"group": 5}, "its group is 5, expected a text or None"),
        ({"inputs": {"text": ["a"]}}, "its text is a list, expected a text"),
        ({"inputs": {"table": "a"}}, "its table is a str, expected a mapping"),
        ({"target": 10**400}, "has target 1000000000"),
    ],
)
def test_a_record_that_no_file_could_hold_is_told_before_the_run(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        run(tmp_path / "run", [replace(record(1), **row)])
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    import numpy as np

    done = run(tmp_path / "run", records(3, target=np.int64(3)))
    assert set(done.dataset["target"]) == {3.0}


def test_an_unknown_option_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown key of augment 'sample'; did you mean 'sam"):
        run(tmp_path / "run", 2, sample=3)


def test_prompts_may_be_a_list(tmp_path: Path) -> None:
    prompts = write_prompts(tmp_path / "own-prompts")
    done = tc.augment(
        records(2),
        prompts=["own/swap", "own/whole"],
        engine=ScriptedEngine(model),
        output_dir=tmp_path / "run",
        prompt_dir=str(prompts),
        embeddings=False,
    )
    assert done.manifest["totals"]["requested"] == 6


def test_without_a_folder_the_run_is_named_after_data_and_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = tc.augment(
        records(2), prompts="bank", engine=ScriptedEngine(model), embeddings=False, summarize=False
    )
    assert done.path == Path("runs") / f"rows-{done.manifest['fingerprint']}"


async def streamed(
    folder: Path, rows: Any = 6, stop_after: int = 10**9, **options: Any
) -> list[Any]:
    found: list[Any] = []
    prompts = write_prompts(folder.parent / "own-prompts")
    engine = ScriptedEngine(model, **options)
    outputs = tc.stream(
        records(rows),
        prompts="own/*",
        engine=engine,
        output_dir=folder,
        prompt_dir=str(prompts),
        embeddings=False,
    )
    async for output in outputs:
        found.append(output)
        if len(found) >= stop_after:
            break
    await outputs.aclose()  # type: ignore[attr-defined]
    assert not engine.closed, "the engine is the caller's to close"
    return found


async def test_outputs_come_as_their_rows_finish(tmp_path: Path) -> None:
    found = await streamed(tmp_path / "run", 6)
    assert len({output.id for output in found}) == 24
    assert (tmp_path / "run" / "manifest.json").is_file()


async def test_a_stream_to_its_end_leaves_report_and_card(tmp_path: Path) -> None:
    await streamed(tmp_path / "run", 6)
    assert (tmp_path / "run" / "report.html").is_file()
    assert (tmp_path / "run" / "README.md").is_file()


async def test_the_stream_of_a_finished_run_is_empty_and_changes_nothing(tmp_path: Path) -> None:
    await streamed(tmp_path / "run", 6)
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    assert await streamed(tmp_path / "run", 6) == []
    assert (tmp_path / "run" / "manifest.json").read_bytes() == before


async def test_a_stream_that_is_left_can_be_gone_on_with(tmp_path: Path) -> None:
    await streamed(tmp_path / "run", 20, stop_after=5, delay=0.005, concurrency=2)
    assert not (tmp_path / "run" / "report.html").exists()
    done = run(tmp_path / "run", 20)
    assert done.manifest["totals"]["pending"] == 0
    assert done.manifest["totals"]["requested"] == 80


NOTEBOOK = """
import asyncio, sys
from pathlib import Path
from tests.support.small_run import model, run
from textcentric.engines.scripted import ScriptedEngine

async def cell():
    print("running", flush=True)
    run(Path(sys.argv[1]), 200, engine=ScriptedEngine(model, delay=0.05, concurrency=2))

try:
    asyncio.run(cell())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_inside_a_running_event_loop_stops_the_run(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", NOTEBOOK, str(tmp_path / "run")],
        cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    for _ in range(400):
        if (tmp_path / "run" / "metrics.jsonl").is_file():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert "Traceback" not in err
    assert out == "interrupted\n"
    done = tc.Run(tmp_path / "run")
    assert done.manifest["status"] == "interrupted"
    assert done.manifest["totals"]["pending"] > 0


def test_a_script_that_an_engine_process_runs_again_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing, sys\n"
        "import textcentric as tc\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=print)\n"
        "    child.start()\n"
        "    child.join()\n"
        "    sys.exit(child.exitcode)\n"
        f"tc.augment([{{'id': 1, 'text': 'A dog.'}}], output_dir={str(tmp_path / 'run')!r})\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    assert not (tmp_path / "run").exists()
