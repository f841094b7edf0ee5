"""The sheet: drawn once by seed, frozen, with decoys and repeats, and of this run alone."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.read_run import first_of, read_run
from tests.support.small_run import run as augmented
from textcentric.engines.protocol import Request
from textcentric.errors import RunError
from textcentric.reading.drawing import Row, _declared
from textcentric.reading.groups import Group
from textcentric.reading.items import ACCEPTED, DECOY, REPEAT, Item
from textcentric.reading.sheet import growth, open_sheet, sheets


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return read_run(tmp_path_factory.mktemp("read") / "run", 24)


def test_a_sheet_holds_so_many_of_each_prompt_and_is_the_same_by_the_same_seed(
    run: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    sheet = open_sheet(run, accepted=8, refused=2)
    counts = Counter((item.group, item.kind) for item in sheet.items)
    for name in ("own/swap", "own/whole", "own/gist", "summarize/pick"):
        assert counts[name, ACCEPTED] == 8
    kinds = Counter(item.kind for item in sheet.items)
    pairs = kinds[ACCEPTED] + kinds["refused"]
    assert (kinds[DECOY], kinds[REPEAT]) == (round(0.1 * pairs), round(0.05 * pairs))
    assert open_sheet(other, accepted=8, refused=2).digest == sheet.digest
    assert [item.item for item in sheet.items][:2] == ["001", "002"]


def test_a_sheet_is_frozen_whatever_is_asked_for_afterwards(run: Path) -> None:
    sheet = open_sheet(run, accepted=8)
    assert open_sheet(run, accepted=3, seed=9).digest == sheet.digest


def test_two_who_begin_at_once_draw_one_sheet(run: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        digests = {s.digest for s in pool.map(lambda _: open_sheet(run), range(4))}
    assert len(digests) == 1
    assert len(sheets(run)) == 1


def test_a_new_sheet_holds_no_output_of_a_former_one(run: Path) -> None:
    one = open_sheet(run, accepted=5, refused=0)
    two = open_sheet(run, accepted=5, refused=0, new=True)
    outputs = [
        {(i.output, i.group) for i in sheet.items if i.kind == ACCEPTED} for sheet in (one, two)
    ]
    assert outputs[0]
    assert outputs[0].isdisjoint(outputs[1])
    assert open_sheet(run).digest == two.digest


def test_a_variant_stands_beside_the_words_of_its_row_and_a_summary_beside_the_row(
    run: Path,
) -> None:
    sheet = open_sheet(run)
    swap = next(i for i in sheet.items if i.group == "own/swap" and i.kind == ACCEPTED)
    assert set(swap.source) == set(swap.variant) == {"table", "text"}
    assert swap.source["table"] == swap.variant["table"]
    summary = next(i for i in sheet.items if i.group == "summarize/pick")
    assert set(summary.variant) == {"summary"}
    assert set(summary.source) == {"table", "text"}


def test_a_decoy_is_another_text_of_a_row_and_a_repeat_comes_after_what_it_repeats(
    run: Path,
) -> None:
    sheet = open_sheet(run)
    known = first_of(sheet, DECOY)
    assert known.source != known.variant
    assert known.expected in ("same", "less", "changed", "garbled")
    assert known.group == ""
    repeat, items = first_of(sheet, REPEAT), sheet.by_id()
    assert items[repeat.of].variant == repeat.variant
    assert repeat.of < repeat.item


def test_which_words_mean_true_depends_on_what_the_prompt_may_do() -> None:
    def pair(facts: str) -> Item:
        return Item("001", ACCEPTED, "p", "o", "r", {}, {}, facts)

    facts = ("same", "fewer", "beside", "changed")
    assert {name: list(pair(name).true_words) for name in facts} == {
        "same": ["same"],
        "fewer": ["same", "less"],
        "beside": ["same"],
        "changed": ["same"],
    }


def test_a_run_that_has_grown_is_said(run: Path) -> None:
    sheet = open_sheet(run)
    assert growth(run, sheet) == ""
    shard = next((run / "data").glob("*.parquet"))
    shutil.copy(shard, shard.with_name("part-00009.parquet"))
    said = growth(run, sheet)
    assert "the run has grown since this sheet was drawn" in said
    assert "--new-sheet" in said


def test_a_sheet_of_another_run_in_the_same_folder_is_refused(run: Path) -> None:
    sheet = open_sheet(run)
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "fingerprint": "00000000"}))
    with pytest.raises(RunError, match=f"drawn from another run \\({sheet.run}\\)"):
        open_sheet(run)
    assert open_sheet(run, new=True).run == "00000000"


def test_a_broken_sheet_is_refused_by_name(run: Path) -> None:
    open_sheet(run)
    (run / "reading" / "sheet-01.json").write_text("{")
    with pytest.raises(RunError, match=r"sheet-01\.json is no sheet"):
        open_sheet(run)


def test_a_run_of_which_nothing_was_accepted_has_nothing_to_read(tmp_path: Path) -> None:
    path = augmented(tmp_path / "run", 3, answer=lambda request: "", prompts="own/swap").path
    with pytest.raises(RunError, match="nothing to read"):
        open_sheet(path)


def test_the_bank_is_read_by_family(tmp_path: Path) -> None:
    def slipped(request: Request) -> str:
        """Finish the sentence that the last two lines name with a letter of it said twice."""
        *_, named, begun = request.messages[-1].content.split("\n")
        rest = named.partition(": ")[2].removeprefix(begun.partition(": ")[2].strip()).split()
        return " ".join([*rest[:-1], re.sub(r"(\w)(\W*)$", r"\1\1\2", rest[-1])])

    path = augmented(tmp_path / "run", 24, slipped, prompts="bank", own={}, summarize=False).path
    names = {item.group for item in open_sheet(path).items if item.kind == ACCEPTED}
    assert names
    assert all(name.removeprefix("bank/") in FAMILIES for name in names)


FAMILIES = (
    "typing loss recognition surface wording tone style order contradiction distraction label"
).split()


def test_what_is_declared_is_of_the_variant_and_not_of_its_row() -> None:
    notes = "language=en; changed: Fee: free. -> Fee: 50."
    row: Row = {
        "id": "a/p/0",
        "source_id": "a",
        "prompt": "p",
        "source_text": "",
        "text": "",
        "parts": {},
        "notes": notes,
    }
    group = Group("p", "0", "changed", "", "", "", 0.0)
    said = _declared(row, group, "language=en; missing columns: 1 of 3")
    assert said == "changed on purpose: changed: Fee: free. -> Fee: 50."
