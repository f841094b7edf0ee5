"""`textcentric prompts`: list, show, lint, try and expand."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.commands import textcentric
from tests.support.small_run import write_prompts
from textcentric.augmentation.config import AugmentConfig, resolve
from textcentric.augmentation.expansion import Sieve, lines_of
from textcentric.augmentation.trial import try_prompt
from textcentric.cli.prompts import as_dict, expand_command
from textcentric.engines import Response, ScriptedEngine
from textcentric.engines.protocol import Request
from textcentric.errors import ConfigError, DataError, PromptError
from textcentric.prompts.library import Instruction, PromptLibrary, read_bank
from textcentric.prompts.prompt import Checks
from textcentric.runs.columns import Output

GOOD = """---
id: adversarial/mine
version: 3
stage: adversarial
facts: same
intent: Say it in other words.
reads: [row, sentence]
writes: text
each: sentence
checks: {similarity: [0.1, 0.99]}
---
{% block user %}{{ row }}

Say in other words: {{ sentence }}{% endblock %}
"""
BROKEN = GOOD.replace("mine", "broken").replace("{{ row }}", "{{ rwo }}")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.jinja").write_text(GOOD)
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    lines = ["id,words,size", "r1,A dog sleeps here. It is calm today.,3", "r2,Two cats play.,4"]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "rows.csv"


def config(rows: Path, **flags: Any) -> AugmentConfig:
    return resolve(
        None,
        {
            "dataset": str(rows),
            "table_schema": {"id": "id", "text": "words"},
            "embeddings": False,
            **flags,
        },
    )


def test_one_file_that_cannot_be_used_hides_no_other_from_list_and_lint(mine: Path) -> None:
    (mine / "odd.jinja").write_text("---\nid: own/odd\nintent: 2001-99-99\n---\n")
    said = textcentric("prompts", "list", "--prompt-dir", mine)
    assert "adversarial/mine" in said.out
    assert "odd.jinja: the front matter is not YAML: line 2: '2001-99-99' is no" in said.err
    checked = textcentric("prompts", "lint", "--prompt-dir", mine)
    assert checked.code == 2
    assert "'2001-99-99' is no timestamp" in checked.out + checked.err
    assert "problems: 1" in checked.err


def test_list_shows_prompts_with_their_effect_and_the_families(mine: Path) -> None:
    said = textcentric("prompts", "list", "--prompt-dir", mine)
    lines = [line.split(None, 4) for line in said.out.splitlines()]
    assert ["adversarial/mine", "v3", "adversarial", "keep", "Say it in other words."] in lines
    assert ["typing", "9"] in lines


def test_list_and_show_say_which_summary_is_the_default() -> None:
    lines = textcentric("prompts", "list").out.splitlines()
    assert [line.split()[0] for line in lines if line.endswith(" (the default)")] == [
        "summarize/pick"
    ]
    listed = json.loads(textcentric("prompts", "list", "--json").out)["prompts"]
    assert [one["id"] for one in listed if one["default"]] == ["summarize/pick"]
    said = textcentric("prompts", "show", "summarize/pick")
    assert said.err.endswith("summarize/pick.jinja (the default)\n")
    assert "The default summary" in said.out


def test_list_as_json_counts_the_bank() -> None:
    listed = json.loads(textcentric("prompts", "list", "--json").out)
    library = PromptLibrary.load()
    assert [one["id"] for one in listed["prompts"]] == sorted(library.prompts)
    assert sum(listed["bank"].values()) == len(library.bank)


def test_show_prints_the_file_and_names_it_on_stderr(mine: Path) -> None:
    said = textcentric("prompts", "show", "adversarial/mine", "--prompt-dir", mine)
    assert (said.out, said.err) == (GOOD, f"{mine / 'mine.jinja'}\n")


def test_show_prints_an_instruction_of_the_bank() -> None:
    shown = json.loads(textcentric("prompts", "show", "bank/phonetic").out)
    assert (shown["family"], shown["kind"]) == ("typing", "random")


def test_show_suggests_the_nearest_id() -> None:
    said = textcentric("prompts", "show", "adversarial/noize")
    assert (said.code, said.out) == (2, "")
    assert "unknown prompt 'adversarial/noize'; did you mean 'adversarial/noise'?" in said.err
    assert "did you mean 'adversarial/noise'?" in textcentric("prompts", "show", "noise").err
    said = textcentric("prompts", "show", "bank/fonetic")
    assert "did you mean 'bank/phonetic'?" in said.err


def test_the_shipped_prompts_have_no_problem() -> None:
    said = textcentric("prompts", "lint")
    assert (said.code, said.out) == (0, "")


def test_lint_names_each_problem_and_ends_2(mine: Path) -> None:
    (mine / "broken.jinja").write_text(BROKEN)
    (mine / "front.jinja").write_text("no front matter")
    (mine / "instructions.jsonl").write_text(
        '{"id": "x", "family": "f", "kind": "odd", "label": "kep", "writes": "text",'
        ' "instruction": "Do."}\n'
    )
    said = textcentric("prompts", "lint", mine)
    assert said.code == 2
    out = said.out
    assert f"{mine / 'broken.jinja'}: unknown variable 'rwo'; did you mean 'row'?" in out
    assert f"{mine / 'front.jinja'}: must begin with front matter" in out
    (line,) = [line for line in out.splitlines() if "instructions.jsonl" in line]
    assert line.startswith(f"{mine / 'instructions.jsonl'}, line 1: unknown kind 'odd'")
    assert "unknown label 'kep'; did you mean 'keep'?" in line
    assert said.err.startswith("files: 4, problems: ")


def test_lint_takes_ids_and_stages(mine: Path) -> None:
    assert textcentric("prompts", "lint", "adversarial/noise").err == "files: 1, problems: 0\n"
    said = textcentric("prompts", "lint", "adversarial/m*", "--prompt-dir", mine)
    assert (said.code, said.err) == (0, "files: 1, problems: 0\n")
    assert "did you mean 'align/plain'?" in textcentric("prompts", "lint", "align/plan").err


def test_try_shows_turns_answer_verdict_and_result(rows: Path, mine: Path) -> None:
    answers = {"words: Words:": "Words: A dog naps here.", "words: It is": "It's calm today."}
    said = textcentric(
        *("prompts", "try", "adversarial/mine", "--prompt-dir", mine, "--dataset", rows),
        *("--row", "r1", "--engine", "scripted", "--set", f"engine.answer={json.dumps(answers)}"),
        "--no-embeddings",
    )
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "adversarial/mine v3 on row r1"
    assert [lines.count(f"[model] {answer}") for answer in answers.values()] == [1, 1]
    assert "== request 2 of 2" in lines
    assert lines[lines.index("== checks") + 1] == "kept"
    assert "== r1/adversarial/mine/0: accepted" in lines


def test_try_says_why_a_piece_was_dropped(rows: Path, mine: Path) -> None:
    def answer(request: Request) -> str:
        asked = request.messages[-1].content
        return "It's calm today." if asked.endswith("calm today.") else "Sure! Here is a sentence."

    engine = ScriptedEngine(answer)
    trial = try_prompt(config(rows, prompt_dir=str(mine)), "adversarial/mine", "r1", engine=engine)
    pieces = as_dict(trial)["pieces"]
    assert [piece["reason"] for piece in pieces] == ["preamble", ""]
    assert engine.closed


def test_try_puts_one_instruction_of_the_bank_to_the_row(rows: Path) -> None:
    engine = ScriptedEngine("an other thing now.")
    trial = try_prompt(config(rows), "bank/phonetic", "r2", engine=engine)
    assert trial.prompt.id == "bank/phonetic"
    assert [output.prompt for output in trial.outputs] == ["clean", "bank/phonetic"]
    asked = engine.requests[0].messages[1].content
    assert asked.endswith("Spell words the way they sound to a child.")


def test_try_shows_what_a_deriving_prompt_adds(rows: Path) -> None:
    engine = ScriptedEngine("Two cats play. Size: 4.")
    trial = try_prompt(config(rows), "summarize/brief", "r2", engine=engine)
    (clean,) = trial.outputs
    assert isinstance(clean, Output)
    assert clean.parts["summary"] == "Two cats play. Size: 4."


def test_try_shows_the_reasoning_as_parsed(rows: Path) -> None:
    answer = {"prediction": "low", "explanation": "Two cats play."}
    engine = ScriptedEngine(json.dumps(answer))
    trial = try_prompt(config(rows), "reason/explain", "r2", engine=engine)
    (clean,) = trial.outputs
    assert isinstance(clean, Output)
    told = "Prediction: low. Two cats play."
    assert clean.parts["reason"] == told


def test_try_suggests_the_nearest_row(rows: Path) -> None:
    with pytest.raises(DataError, match=r"unknown row 'r3'; did you mean 'r[12]'"):
        try_prompt(config(rows), "align/plain", "r3", engine=ScriptedEngine())


def test_try_refuses_a_prompt_that_needs_more_than_a_row(rows: Path) -> None:
    with pytest.raises(PromptError, match="for the stage judge, which needs more than a row"):
        try_prompt(config(rows), "judge/label-kept", None, engine=ScriptedEngine())


def answers(*texts: str) -> ScriptedEngine:
    """Return an engine that gives `texts` one after another, then the last one for ever."""
    left = list(texts)
    return ScriptedEngine(lambda request: left.pop(0) if len(left) > 1 else left[0])


def expand(folder: Path, number: int, *texts: str, family: str = "style") -> None:
    flags = {"prompt_dir": str(folder), "embeddings": False}
    expand_command(resolve(None, flags), number, family, engine=answers(*texts))


def test_expand_adds_new_instructions_and_counts_what_it_drops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = (
        "- Write it like a pirate.",
        "Sure! Here is one more.",
        "Write it like a PIRATE!",
        "The sentence is good as it stands.",
        "1. Write it like a weather report.",
    )
    expand(tmp_path / "own", 2, *texts)
    entries = read_bank(tmp_path / "own" / "instructions.jsonl")
    wanted = ["Write it like a pirate.", "Write it like a weather report."]
    assert [entry.instruction for entry in entries] == wanted
    assert {entry.id.rpartition("-")[0] for entry in entries} == {"expanded-style"}
    assert {(entry.family, entry.kind, entry.label) for entry in entries} == {
        ("style", "instruction", "unsure")
    }
    said = capsys.readouterr()
    assert "asked 5 times: 2 kept, 3 dropped (" in said.err
    for why in ("preamble 1", "known already 1", "not an instruction 1"):
        assert why in said.err
    assert said.out.splitlines()[0] == f"{entries[0].id}  Write it like a pirate."


def test_expand_keeps_what_the_folder_had_and_says_when_few_remain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expand(tmp_path, 1, "Write it like a pirate.")
    expand(tmp_path, 3, "Write it like a pirate.", "Write it like a riddle.")
    entries = read_bank(tmp_path / "instructions.jsonl")
    assert [entry.instruction for entry in entries] == [
        "Write it like a pirate.",
        "Write it like a riddle.",
    ]
    assert "3 were wanted; a larger --model writes more" in capsys.readouterr().err
    library = PromptLibrary.load(tmp_path)
    assert entries[1] in library.bank


def test_expand_writes_nothing_where_nothing_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expand(tmp_path / "own", 2, "I'm sorry.")
    assert list((tmp_path / "own").iterdir()) == []
    assert "0 kept, 8 dropped" in capsys.readouterr().err


def test_expand_refuses_a_file_as_its_folder(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("")
    with pytest.raises(ConfigError, match="own: File exists; name a folder"):
        expand(tmp_path / "own", 1, "Write it like a pirate.")


def test_expand_suggests_the_nearest_family(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="unknown family of instructions 'stile'; did you mean"):
        expand(tmp_path, 1, "x", family="stile")


def test_expand_shows_examples_of_one_family_drawn_by_seed(tmp_path: Path) -> None:
    engine = ScriptedEngine("Write it like a pirate.")
    flags = {"prompt_dir": str(tmp_path), "embeddings": False, "seed": 5}
    expand_command(resolve(None, flags), 1, "order", engine=engine)
    shown = [line[2:] for line in engine.requests[0].messages[-1].content.splitlines()[:-1]]
    order = {entry.instruction for entry in PromptLibrary.load().bank if entry.family == "order"}
    assert len(shown) == 6
    assert set(shown) <= order


def test_a_line_that_was_cut_off_is_left_out() -> None:
    answer = Response("- Leave out the verbs.\n2. Tell it backwar", finish="length")
    assert lines_of(answer) == ["Leave out the verbs.", ""]


class TwoMeanings:
    """An encoder for which texts with the same first word mean the same."""

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        return np.array([[1.0, 0.0] if t.startswith("Whisper") else [0.8, 0.6] for t in texts])


def test_an_instruction_that_means_the_same_as_another_is_dropped() -> None:
    from textcentric.augmentation.expansion import Expansion

    first = Instruction("a", "tone", "random", "keep", "text", "Shout it out loud.")
    sieve = Sieve(Checks(words=(2, 20), similarity=(0.4, 0.9)), [first], TwoMeanings())
    said = [("tone", Response(t)) for t in ("Whisper it softly.", "Whisper it, very softly.")]
    found = Expansion(wanted=5)
    asyncio.run(sieve.sift(said, {"tone": [first]}, found))
    assert [one.instruction for one in found.kept] == ["Whisper it softly."]
    assert found.dropped == {"means the same as another": 1}


def test_lint_looks_up_columns_in_the_table_that_is_named(tmp_path: Path) -> None:
    text = "stage: adversarial\nfacts: same\nreads: [row, columns.{0}]\n---\n" + (
        "{{% block user %}}{{{{ row }}}}\n\n{{{{ {0} }}}}{{% endblock %}}\n"
    )
    names = ("FurLength", "FurLenght", "AdoptionSpeed")
    mine = write_prompts(tmp_path, {f"own/{name.lower()}": text.format(name) for name in names})
    assert textcentric("prompts", "lint", mine).code == 0
    said = textcentric("prompts", "lint", mine, "--dataset", "petfinder")
    assert said.code == 2
    assert "unknown column of the table 'FurLenght'; did you mean 'FurLength'?" in said.out
    assert "unknown column of the table 'AdoptionSpeed'" in said.out  # the target
    assert "own/furlength.jinja" not in said.out
    run = ("augment", "--dataset", "petfinder", "--prompt-dir", mine, "--dry-run")
    refused = textcentric(*run, "--prompts", "own/adoptionspeed")
    assert refused.code != 0
    assert "prompt own/adoptionspeed: unknown column of the table" in refused.err


def test_new_writes_a_file_that_lints_and_never_writes_over_one(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    said = textcentric("prompts", "new", "mine/plain", "--prompt-dir", folder)
    path = folder / "mine" / "plain.jinja"
    assert (said.code, said.out) == (0, f"{path}\n")
    assert said.err == f"next: textcentric prompts try mine/plain --prompt-dir {folder}\n"
    like = ("--like", "adversarial/paraphrase")
    assert textcentric("prompts", "new", "mine/para", *like, "--prompt-dir", folder).code == 0
    assert textcentric("prompts", "lint", folder).err == "files: 2, problems: 0\n"
    before = path.read_text()
    again = textcentric("prompts", "new", "mine/plain", "--prompt-dir", folder)
    assert (again.code, path.read_text()) == (2, before)
    assert "exists and stays as it is" in again.err


def test_new_refuses_what_is_no_id_and_names_the_nearest_like(tmp_path: Path) -> None:
    said = textcentric("prompts", "new", "../My Prompt", "--prompt-dir", tmp_path)
    assert said.code == 2
    assert "'../My Prompt' is no id of a prompt" in said.err
    said = textcentric(
        "prompts", "new", "a", "--like", "adversarial/noize", "--prompt-dir", tmp_path
    )
    assert "did you mean 'adversarial/noise'?" in said.err
    assert list(tmp_path.iterdir()) == []


def test_lint_says_all_that_is_wrong_with_a_file(tmp_path: Path) -> None:
    path = tmp_path / "bad.jinja"
    path.write_text(
        "---\nid: own/bad\nversion: 0\nstag: adversarial\nlabel: maybe\nintent: x\n"
        "checks: {similarty: [0, 1]}\nreads: [row]\nfacts: same\n---\n"
        "{% block user %}{{ row|center }}{{ rwo|shout }}{% include 'x' %}{% endblock %}\n"
    )
    said = textcentric("prompts", "lint", path)
    found = [line.removeprefix(f"{path}: ").partition(";")[0] for line in said.out.splitlines()]
    assert found == [
        "unknown key 'similarty'",
        "unknown key 'stag'",
        "version: Input should be greater than or equal to 1 (given: 0)",
        "stage: Field required",
        "label: Input should be 'keep', 'unsure' or 'changes' (given: 'maybe')",
        "prompt own/bad: line 1: include is not available in prompts",
        "prompt own/bad: line 1: No filter named 'center'.",
        "prompt own/bad: line 1: No filter named 'shout'.",
        "unknown variable 'rwo'",
        "uses 'rwo' but does not list it in `reads`",
    ]


def test_lint_says_all_keys_of_a_rule_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "bad.jinja"
    path.write_text(
        "---\nid: own/bad\nversion: 1\nstage: rule\nintent: x\nwrites_by: rule\nlevel: 3\n"
        "candidates: 3\n---\n"
    )
    said = textcentric("prompts", "lint", path).out
    for problem in ("the key `rule` go together", "leave out candidates", "a rule is 3, expected"):
        assert problem in said
