"""The prompt library: choosing, overriding, the bank; what is shipped."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_prompt import BODY
from tests.support.small_run import write_prompts
from textcentric.errors import PromptError
from textcentric.prompts.library import (
    PromptLibrary,
    as_line,
    packaged_prompts,
    read_bank,
    with_instruction,
)
from textcentric.prompts.lint import lint
from textcentric.prompts.prompt import FACTUAL, Prompt

ROOT = Path(__file__).parents[2]
PACKAGED = PromptLibrary.load()


def ids(library: PromptLibrary, terms: str | list[str]) -> list[str]:
    return [prompt.id for prompt in library.select(terms)]


def test_a_set_names_all_prompts_of_a_stage(library: PromptLibrary) -> None:
    chosen = ids(library, "adversarial")
    assert {"own/swap", "own/whole", "own/gist", "adversarial/noise"} <= set(chosen)
    assert "adversarial/bank" not in chosen
    assert ids(library, "summarize") == ["summarize/pick"]


def test_an_id_names_one_prompt(library: PromptLibrary) -> None:
    assert ids(library, "own/swap") == ["own/swap"]


def test_a_glob_names_what_fits_it(library: PromptLibrary) -> None:
    assert ids(library, "own/*") == ["own/gist", "own/swap", "own/whole"]
    assert ids(library, "*/sw[a-b]p") == ["adversarial/swap", "own/swap"]


def test_terms_are_joined_by_commas_or_given_as_a_list(library: PromptLibrary) -> None:
    assert ids(library, " own/whole , own/g*,own/whole") == ["own/whole", "own/gist"]
    assert ids(library, ["own/whole", "own/gist"]) == ["own/whole", "own/gist"]


def test_prompts_come_in_the_order_of_their_stages(library: PromptLibrary) -> None:
    chosen = ids(library, "judge,own/swap,reason,bank,summarize,align")
    assert chosen == [
        "align/plain",
        "summarize/pick",
        "reason/explain",
        "own/swap",
        "adversarial/bank",
        "judge/label-kept",
    ]


def test_the_bank_is_chosen_by_name_but_not_by_a_glob_that_happens_to_fit() -> None:
    assert ids(PACKAGED, "bank") == ["adversarial/bank"]
    assert "adversarial/bank" not in ids(PACKAGED, "adversarial/*")


def test_summaries_by_rule_are_taken_by_their_ids_alone() -> None:
    assert "rule/first-columns" not in ids(PACKAGED, "rule/*")
    assert ids(PACKAGED, "rule/first-columns") == ["rule/first-columns"]
    assert ids(PACKAGED, "summarize") == ["summarize/pick"]


def test_the_packaged_summary_is_the_default_and_says_so() -> None:
    (note,) = [p.front.note for p in PACKAGED.prompts.values() if PACKAGED.is_default(p)]
    assert note.startswith("The default summary")


def test_a_summary_of_ones_own_takes_the_place_of_the_default(tmp_path: Path) -> None:
    body = (packaged_prompts() / "summarize/brief.jinja").read_text("utf-8")
    (tmp_path / "own.jinja").write_text(body.replace("summarize/brief", "own/brief"))
    own = PromptLibrary.load(tmp_path)
    assert ids(own, "summarize") == ["own/brief"]
    assert [name for name, p in own.prompts.items() if own.is_default(p)] == ["own/brief"]


@pytest.mark.parametrize(
    ("terms", "summaries"),
    [
        ("summarize", ["summarize/pick"]),
        ("summarize/*", ["summarize/pick"]),
        ("*", ["summarize/pick"]),
        ("summarize/b*", ["summarize/brief"]),
        ("summarize/brief", ["summarize/brief"]),
    ],
)
def test_a_row_has_one_summary_unless_more_are_named(terms: str, summaries: list[str]) -> None:
    chosen = PACKAGED.select(terms)
    assert [p.id for p in chosen if p.front.stage == "summarize"] == summaries


def test_a_summary_of_ones_own_comes_before_the_packaged_ones(tmp_path: Path) -> None:
    own = {"own/gist": f"stage: summarize\nwrites: summary\n---\n{BODY}"}
    library = PromptLibrary.load(write_prompts(tmp_path, own))
    assert ids(library, "summarize") == ["own/gist"]
    assert [p.id for p in library.select("*") if p.front.stage == "summarize"] == ["own/gist"]
    assert ids(library, "summarize/*") == ["summarize/pick"]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(PromptError, match=r"unknown prompt or set 'adversarial/noize'; did you "
                                          r"mean 'adversarial/noise'\?"):  # fmt: skip
        PACKAGED.select("adversarial/noize")
    with pytest.raises(PromptError, match=r"unknown prompt 'summarize/breif'; did you mean"):
        PACKAGED["summarize/breif"]


def test_choosing_nothing_is_an_error() -> None:
    with pytest.raises(PromptError, match="no prompts chosen"):
        PACKAGED.select(" , ")


def test_a_folder_of_ones_own_overrides_by_id_and_adds(tmp_path: Path) -> None:
    own = {
        "adversarial/noise": f"stage: adversarial\n---\n{BODY}",
        "own/new": f"stage: adversarial\n---\n{BODY}",
    }
    library = PromptLibrary.load(write_prompts(tmp_path, own))
    assert library["adversarial/noise"].body == BODY
    assert library["adversarial/style"] == PACKAGED["adversarial/style"]
    assert set(library.prompts) - set(PACKAGED.prompts) == {"own/new"}


def test_a_later_folder_wins(tmp_path: Path) -> None:
    first = write_prompts(tmp_path / "a", {"own/x": "stage: judge\n---\nfirst"})
    second = write_prompts(tmp_path / "b", {"own/x": "stage: judge\n---\nsecond"})
    assert PromptLibrary.load(first, second)["own/x"].body == "second"


def test_an_own_bank_adds_and_overrides_instructions(tmp_path: Path) -> None:
    known = PACKAGED.bank[0]
    lines = [
        {"id": name, "family": "f", "kind": "random", "label": "keep", "writes": "text",
         "instruction": "Do it."}
        for name in (known.id, "own-one")
    ]  # fmt: skip
    (tmp_path / "instructions.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    bank = {entry.id: entry for entry in PromptLibrary.load(tmp_path).bank}
    assert len(bank) == len(PACKAGED.bank) + 1
    assert bank[known.id].instruction == bank["own-one"].instruction == "Do it."


def test_an_absent_folder_is_named() -> None:
    with pytest.raises(PromptError, match="prompt folder '/no/where' does not exist"):
        PromptLibrary.load("/no/where")


LINE = {
    "id": "a", "family": "style", "kind": "random", "label": "keep", "writes": "text",
    "instruction": "Write it in capitals.",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"label": "kep"},
            "unknown label 'kep'; did you mean 'keep'? Known: changes, keep, unsure",
        ),
        ({"kind": "randomly"}, "unknown kind 'randomly'; did you mean 'random'?"),
        ({"writes": "texts"}, "unknown writes 'texts'; did you mean 'text'?"),
        ({"famly": "style"}, "unknown key 'famly'; did you mean 'family'?"),
        ({"instruction": " "}, "instruction is ' '; expected a text that is not empty"),
        ({"id": 7}, "id is 7; expected a text that is not empty"),
        ({"label": "kep", "kind": "odd"}, "; unknown label 'kep'; did you mean 'keep'?"),
    ],
    ids=str,
)
def test_a_line_of_the_bank_that_does_not_fit_is_named(
    changed: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "instructions.jsonl"
    path.write_text(f"\n{json.dumps(LINE)}\n{json.dumps(LINE | changed)}\n")
    with pytest.raises(PromptError) as caught:
        PromptLibrary.load(tmp_path)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "a"', "Expecting ',' delimiter"),
        ("[1]", "[1]: expected an object with the keys id, family, kind, label"),
        ('{"id": "a"}', "family is missing; expected a text that is not empty; kind is missing"),
    ],
)
def test_a_line_of_the_bank_that_is_no_instruction_is_named(
    line: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "instructions.jsonl"
    path.write_text(line)
    with pytest.raises(PromptError) as caught:
        read_bank(path)
    assert str(caught.value).startswith(f"{path}, line 1: {said}")


def test_a_bank_with_a_byte_order_mark_is_a_bank_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "instructions.jsonl"
    path.write_text((packaged_prompts() / "adversarial" / "instructions.jsonl").read_text())
    plain = read_bank(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_bank(path) == plain


def test_a_bank_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "instructions.jsonl"
    path.write_bytes(b'{"id": "caf\xe9"}\n')
    with pytest.raises(
        PromptError, match=r"instructions.jsonl: cannot be read as UTF-8 text \('ut"
    ):
        PromptLibrary.load(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(PromptError, match=r"instructions.jsonl: cannot be read .*directory"):
        PromptLibrary.load(tmp_path)


def test_a_separator_of_lines_inside_an_instruction_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "instructions.jsonl"
    line = LINE | {"instruction": "Put\u2028between the sentences."}
    path.write_text(json.dumps(line, ensure_ascii=False))
    assert [entry.instruction for entry in read_bank(path)] == [line["instruction"]]


def test_every_shipped_prompt_and_line_of_the_bank_says_what_it_may_do_with_facts() -> None:
    fronts = [prompt.front for prompt in PACKAGED.prompts.values()]
    assert [front.id for front in fronts if front.stage in FACTUAL and front.facts is None] == []
    assert [entry.id for entry in PACKAGED.bank if entry.facts is None] == []


def test_a_line_of_the_bank_brings_its_own_facts(tmp_path: Path) -> None:
    lines = [LINE | {"facts": "changed"}, LINE | {"id": "b", "facts": "same", "legible": False}]
    (tmp_path / "instructions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    first, second = read_bank(tmp_path / "instructions.jsonl")
    assert (first.facts, first.legible) == ("changed", True)
    assert [as_line(first), as_line(second)] == lines
    carried = with_instruction(PACKAGED["adversarial/bank"], second).front
    assert (carried.facts, carried.legible) == ("same", False)


def test_a_draw_from_the_bank_depends_on_its_seed_only() -> None:
    carrier = PACKAGED["adversarial/bank"]
    draws = [PACKAGED.from_bank(carrier, seed).id for seed in range(200)]
    again = [PACKAGED.from_bank(carrier, seed).id for seed in reversed(range(200))]
    assert draws == again[::-1]
    assert len(set(draws)) > len(PACKAGED.bank) / 2
    assert all(name.startswith("bank/") for name in draws)


def test_an_instruction_of_the_bank_brings_its_own_label_and_part() -> None:
    carrier = PACKAGED["adversarial/bank"]
    entries = {f"bank/{entry.id}": entry for entry in PACKAGED.bank}
    digests = set()
    for seed in range(50):
        prompt = PACKAGED.from_bank(carrier, seed)
        entry = entries[prompt.id]
        assert (prompt.front.label, prompt.front.writes) == (entry.label, entry.writes)
        assert prompt.instruction == entry.instruction
        digests.add((prompt.id, prompt.digest))
    assert len({digest for _, digest in digests}) == len({name for name, _ in digests})


def test_an_empty_bank_says_what_to_add(tmp_path: Path) -> None:
    write_prompts(tmp_path, {"own/bank": f"stage: bank\n---\n{BODY}"})
    library = PromptLibrary.load(tmp_path, packaged=False)
    with pytest.raises(PromptError, match="the bank of instructions is empty"):
        library.from_bank(library["own/bank"], 1)


@pytest.mark.parametrize("prompt", PACKAGED.prompts.values(), ids=lambda prompt: prompt.id)
def test_every_shipped_prompt_is_without_fault(prompt: Prompt) -> None:
    assert lint(prompt) == []
    assert prompt.front.intent.endswith(".")
    assert prompt.path is not None
    assert prompt.path.relative_to(packaged_prompts()).as_posix() == f"{prompt.id}.jinja"


def test_the_library_holds_what_was_promised() -> None:
    promised = "noise dropout permutation paraphrase contradiction distractor style omission"
    names = {f"adversarial/{name}" for name in promised.split()}
    assert names <= set(PACKAGED.prompts)
    assert {prompt.front.stage for prompt in PACKAGED.prompts.values()} >= {
        "align", "summarize", "reason", "adversarial", "bank", "caption", "judge",
    }  # fmt: skip


def test_the_bank_holds_sixty_instructions_of_both_kinds_in_several_families() -> None:
    bank = PACKAGED.bank
    assert len({" ".join(entry.instruction.lower().split()) for entry in bank}) == len(bank) >= 60
    assert len({entry.id for entry in bank}) == len(bank)
    assert {entry.kind for entry in bank} == {"random", "instruction"}
    assert {entry.label for entry in bank} <= {"keep", "unsure", "changes"}
    families = Counter(entry.family for entry in bank)
    assert len(families) >= 6
    assert max(families.values()) < len(bank) / 2


def test_the_library_of_a_checkout_is_its_prompts_folder() -> None:
    assert packaged_prompts() == ROOT / "prompts"


@pytest.mark.slow
@pytest.mark.skipif(find_spec("hatchling") is None, reason="hatchling absent")
def test_the_library_of_a_wheel_lies_inside_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*build, "-w", str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)  # what installing a pure wheel does
    code = "from textcentric.prompts.library import *; l = PromptLibrary.load();"
    code += "print(packaged_prompts());"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code} print(*sorted(l.prompts)); print(len(l.bank))"],
        env={"PYTHONPATH": str(site)}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    folder, names, bank = done.stdout.splitlines()
    assert folder == str(site / "textcentric" / "prompts" / "texts")
    assert names.split() == sorted(PACKAGED.prompts)
    assert int(bank) == len(PACKAGED.bank)
