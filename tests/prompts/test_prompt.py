"""A prompt file: its front matter, its digest, what it may do, and the turns that it renders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.own_prompt import BODY, prompt_from
from textcentric.errors import PromptError
from textcentric.prompts.library import (
    PromptLibrary,
)
from textcentric.prompts.lint import check_file, lint
from textcentric.prompts.prompt import read_prompt, usual_facts

ROOT = Path(__file__).parents[2]


PACKAGED = PromptLibrary.load()


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("stag: adversarial", "unknown key 'stag'; did you mean 'stage'?"),
        ("stage: adversarial\nsampling: {temprature: 1}",
         "unknown key 'temprature'; did you mean 'temperature'?"),
        ("stage: adversarial\nchecks: {similarty: [0, 1]}",
         "unknown key 'similarty'; did you mean 'similarity'?"),
        ("stage: adverse", "stage: Input should be 'align', 'summarize'"),
        ("stage: adversarial\nsampling: {temperature: 9}", "sampling.temperature: Input should be"),
        ("stage: adversarial\nsampling: {top_p: 0}", "sampling.top_p: Input should be"),
        ("stage: adversarial\nsampling: {max_tokens: 0}", "sampling.max_tokens: Input should be"),
        ("stage: adversarial\nlabel: maybe", "label: Input should be 'keep', 'unsure' or"),
        ("stage: [", "the front matter is not YAML"),
    ],
)  # fmt: skip
def test_front_matter_that_does_not_fit_is_told_with_file_and_value(
    tmp_path: Path, front: str, message: str
) -> None:
    with pytest.raises(PromptError) as caught:
        prompt_from(tmp_path, front)
    assert "own/one.jinja: " in str(caught.value)
    assert message in str(caught.value)


def test_a_file_without_front_matter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jinja").write_text(BODY)
    with pytest.raises(PromptError, match="must begin with front matter between two lines"):
        read_prompt(tmp_path / "x.jinja")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jinja").write_bytes(b"---\n\xff\xfe\n---\n")
    with pytest.raises(PromptError, match="cannot be read as UTF-8 text"):
        read_prompt(tmp_path / "x.jinja")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_an_editors_line_ends_and_byte_order_mark_change_nothing(
    mark: bytes, end: bytes, tmp_path: Path
) -> None:
    prompt = prompt_from(tmp_path)
    path = tmp_path / "own" / "one.jinja"
    path.write_bytes(mark + path.read_bytes().replace(b"\n", end))
    again = read_prompt(path)
    assert (again.body, again.digest) == (prompt.body, prompt.digest)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_prompt_in_another_encoding_is_refused_with_the_remedy(
    encoding: str, tmp_path: Path
) -> None:
    prompt_from(tmp_path)
    path = tmp_path / "own" / "one.jinja"
    path.write_bytes(path.read_text().encode(encoding))
    with pytest.raises(PromptError, match=r"one\.jinja: cannot .* UTF-8 text .it is UTF-16.; save"):
        read_prompt(path)


def test_the_digest_changes_with_the_text(tmp_path: Path) -> None:
    assert prompt_from(tmp_path).digest == prompt_from(tmp_path).digest
    changed = prompt_from(tmp_path, body=BODY.replace("Rewrite", "Copy"))
    assert changed.digest != PromptLibrary.load()["adversarial/noise"].digest
    assert changed.digest != prompt_from(tmp_path).digest


@pytest.mark.parametrize(
    ("front", "facts"),
    [
        ("stage: adversarial", "same"),
        ("stage: adversarial\nlabel: unsure", None),
        ("stage: adversarial\nlabel: changes", None),
        ("stage: adversarial\nwrites: remark", "beside"),
        ("stage: align\nwrites: modality", "same"),
        ("stage: summarize\nwrites: summary", "fewer"),
        ("stage: reason\nwrites: reason", "fewer"),
        ("stage: judge\nwrites: verdict", None),
    ],
)
def test_what_a_prompt_is_held_to_that_says_nothing_of_facts(
    tmp_path: Path, front: str, facts: str | None
) -> None:
    assert usual_facts(prompt_from(tmp_path, front).front) == facts


def test_a_prompt_renders_into_turns(tmp_path: Path) -> None:
    body = "{% block system %}You edit.{% endblock %}\n" + BODY
    rendered = prompt_from(tmp_path, body=body).render({"row": "A calm dog."})
    assert rendered.turns == (("system", "You edit."), ("user", "A calm dog.\n\nRewrite it."))
    assert rendered.begin == ""


def test_an_answer_and_the_words_it_begins_with_are_the_last_turn(tmp_path: Path) -> None:
    body = BODY + "{% block answer %}New:{% endblock %}{% block begin %}A {{ row }}{% endblock %}"
    rendered = prompt_from(tmp_path, body=body).render({"row": "calm dog"})
    assert rendered.turns[-1] == ("assistant", "New: A calm dog")
    assert rendered.begin == "A calm dog"


def test_a_missing_variable_names_the_prompt(tmp_path: Path) -> None:
    prompt = prompt_from(tmp_path)
    with pytest.raises(PromptError, match="prompt own/one: 'row' is undefined; known: rwo") as why:
        prompt.render({"rwo": "x"})
    assert why.value.prompt == "own/one"


def rule_file(folder: Path, front: str, body: str = "") -> Path:
    path = folder / "own.jinja"
    head = "id: own/rule\nversion: 1\nstage: rule\nintent: Damage a row."
    path.write_text(f"---\n{head}\n{front}\n---\n{body}", encoding="utf-8")
    return path


def test_a_rule_has_a_strength_and_no_body(tmp_path: Path) -> None:
    prompt = read_prompt(rule_file(tmp_path, "writes_by: rule\nrule: typing\nlevel: 0.3"))
    assert (prompt.front.rule, prompt.front.strength) == ("typing", 0.3)
    assert lint(prompt) == []
    assert read_prompt(rule_file(tmp_path, "writes_by: rule\nrule: typing")).front.strength == 0.2


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        (
            "writes_by: rule\nrule: typing\nlevel: 0",
            "level of a rule is 0, expected a share above 0",
        ),
        ("writes_by: rule\nrule: typing\nlevel: 1.5", "level of a rule is 1.5, expected a share"),
        ("writes_by: rule\nrule: order\nlevel: 0.3", "`rule: order` has no `level`"),
        ("writes_by: rule", "`writes_by: rule` and the key `rule` go together"),
        ("rule: typing", "`writes_by: rule` and the key `rule` go together"),
        ("writes_by: pick", "`writes_by: pick` and the key `pick` go together"),
        ("level: 0.3", "`level` is a rule's strength"),
        ("writes_by: rule\nrule: typing\ncandidates: 4", "a rule asks no model; leave out candid"),
        ("writes_by: rule\nrule: typo", "Input should be 'typing', 'recognition', 'dropping'"),
    ],
)
def test_keys_of_a_rule_that_do_not_fit_are_refused(
    tmp_path: Path, front: str, problem: str
) -> None:
    with pytest.raises(PromptError, match=problem):
        read_prompt(rule_file(tmp_path, front))


def test_a_rule_with_a_body_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="a rule asks no model, so its file ends with the front"):
        read_prompt(rule_file(tmp_path, "writes_by: rule\nrule: typing", BODY))


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("stage: adversarial\nnote: 2001-99-99", "'2001-99-99' is no timestamp (month"),
        (f"stage: adversarial\nnote: {'[' * 5000}", "is not YAML: "),
        (f"stage: adversarial\nnote: {'7' * 5000}", "a number of 5,000 characters"),
        ("stage: adversarial\nstage: rule", "the key 'stage' stands twice"),
        ("stage: adversarial\nschema: 5", "schema: Input should be a valid dictionary (given: 5)"),
        ("stage: adversarial\nschema: {required: 5}", "schema.required is 5, expected a list of"),
        ("stage: adversarial\nschema: {properties: [a]}", "schema.properties is ['a'], expected a"),
        ("stage: adversarial\nschema: {properties: {a: 5}}", "schema.properties.a is 5, expected"),
        ("stage: adversarial\nschema: {enum: 5}", "schema.enum is 5, expected a list"),
        ("stage: adversarial\nschema: {enum: []}", "schema.enum is [], expected a list"),
        ("stage: adversarial\nschema: {enum: [2001-01-01]}", "schema.enum is [datetime.date(2001"),
        ("stage: adversarial\nschema: {type: words}", "schema.type is 'words', expected one of"),
        ("stage: adversarial\nschema: {type: [5]}", "schema.type is [5], expected one of object"),
        ("stage: adversarial\nschema: {items: {anyOf: 1}}", "schema.items.anyOf is 1, expected a"),
        ("stage: adversarial\nschema: {minLength: 2001-01-01}", "schema.minLength is datetime"),
        ("stage: adversarial\nschema: {1: 2}", "schema.1.[key]: Input should be a"),
        ("stage: adversarial\nschema: {properties: {1: {}}}", "schema.properties has the name 1"),
    ],
)  # fmt: skip
def test_a_prompt_that_cannot_work_is_told_as_it_is_read(
    tmp_path: Path, front: str, message: str
) -> None:
    with pytest.raises(PromptError) as caught:
        prompt_from(tmp_path, front)
    assert "own/one.jinja" in str(caught.value)
    assert message in str(caught.value)


def test_a_schema_may_name_a_variable_for_its_choices(tmp_path: Path) -> None:
    front = "stage: adversarial\nschema: {type: object, properties: {a: {enum: choices}}}"
    assert prompt_from(tmp_path, front).front.answer_schema == {
        "type": "object",
        "properties": {"a": {"enum": "choices"}},
    }


def test_a_number_of_thousands_of_digits_in_a_body_names_the_prompt(tmp_path: Path) -> None:
    body = "{% block user %}{{ row }} {{ " + "9" * 5000 + " }}{% endblock %}\n"
    prompt = prompt_from(tmp_path, body=body)
    with pytest.raises(PromptError, match=r"prompt own/one: the template cannot be compiled"):
        prompt.render({"row": "x"})
    assert lint(prompt)[0].startswith("prompt own/one: the template cannot be compiled")


def odd_files(folder: Path) -> None:
    """Fill a folder with what is no prompt file, and one that is."""
    (folder / "folder.jinja").mkdir()
    (folder / "empty.jinja").write_text("")
    (folder / "bytes.jinja").write_bytes(b"\xff\xfe")
    (folder / "link.jinja").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe.jinja")
    prompt_from(folder)


def test_files_that_are_no_prompts_hide_no_other(tmp_path: Path) -> None:
    odd_files(tmp_path)
    told: list[str] = []
    library = PromptLibrary.load(tmp_path, packaged=False, tell=lambda e: told.append(str(e)))
    assert list(library.prompts) == ["own/one"]
    assert len(told) == 5
    for name in ("folder", "empty", "bytes", "link", "pipe"):
        assert any(f"{name}.jinja" in line for line in told)


def test_lint_tells_of_files_that_are_no_prompts(tmp_path: Path) -> None:
    odd_files(tmp_path)
    for path in sorted(tmp_path.glob("*.jinja")):
        assert [path.name in problem for problem in check_file(path)] == [True]


def test_a_folder_with_a_file_that_is_no_prompt_is_not_run_with(tmp_path: Path) -> None:
    odd_files(tmp_path)
    with pytest.raises(PromptError, match=r"bytes\.jinja: cannot be read as UTF-8 text"):
        PromptLibrary.load(tmp_path)
