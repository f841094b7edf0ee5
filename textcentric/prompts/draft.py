"""A file to begin a prompt with: every key with what it means, and a body that works."""

from __future__ import annotations

import json
import re

import yaml

from textcentric.errors import PromptError
from textcentric.prompts.prompt import FACTS, FACTUAL, Checks, Front, Prompt
from textcentric.values import Json

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*([/.][a-z0-9_-]+)*")
ORDER = (
    "id version stage intent label facts legible writes_by rule level pick candidates reads writes"
    " each take sampling checks schema"
).split()
LEFT = ("note",)  # which speaks of the prompt that is copied
NEW: dict[str, Json] = {
    "stage": "adversarial",
    "intent": "Say a sentence in other words.",
    "label": "keep",
    "facts": "same",
    "reads": ["row", "sentence"],
    "writes": "text",
    "each": "sentence",
    "take": 4,
    "sampling": {"temperature": 0.5, "max_tokens": 60, "stop": ["\n"]},
    "checks": {"similarity": [0.5, 0.98], "length": [0.5, 1.7], "new_numbers": 0},
}
BODY = """\
{#
The row comes first, so that all prompts of a row share it as a prefix; then the task.
Variables stand in `reads`. A column of the table is listed there as columns.NAME, and is
{{ NAME }} or {{ columns['NAME'] }} here.
#}
{% block system %}You edit listings. First comes a listing, then one task. Answer with the new \
text only.{% endblock %}
{% block user %}{{ row }}

Say this sentence in other words, and nothing else: {{ sentence }}{% endblock %}
"""


def drafted(name: str, like: Prompt | None = None) -> str:
    """Return the text of a prompt file called `name`, made after `like` where one is given.

    What is asked of the answer is never less than of `like`: a prompt that may add no fact may
    add no number either. Raises PromptError for a name that is no id.
    """
    if not NAME.fullmatch(name):
        raise PromptError(
            f"{name!r} is no id of a prompt: expected small letters, digits, - and _, with / or ."
            " between words, such as mine/plain",
            prompt=name,
        )
    values = {**NEW} if like is None else _copied(like)
    values |= {"id": name, "version": 1}
    lines = [line for key in ORDER if key in values for line in _lines(key, values[key])]
    body = BODY if like is None else like.body
    return "\n".join(["---", *lines, "---", body])


def _copied(like: Prompt) -> dict[str, Json]:
    """Return the front matter of `like` that a copy keeps, with its facts and their check."""
    front = like.front
    values = front.model_dump(mode="json", exclude_unset=True, by_alias=True)
    values = {key: value for key, value in values.items() if key not in LEFT}
    if front.stage in FACTUAL:
        values.setdefault("facts", "same")
    writes = front.writes_by == "text" and not front.answer_schema
    if writes and values.get("facts") in ("same", "fewer"):
        values["checks"] = {**values.get("checks", {}), "new_numbers": 0}
    return values


def _lines(key: str, value: Json) -> list[str]:
    """Return the lines of a key: what it means, then the key itself."""
    field = next(f for n, f in Front.model_fields.items() if key in (n, f.alias))
    about = (field.description or "").replace(", see below", "")
    lines = [f"# {about}"]
    if key == "facts":
        lines += [f"#   {name}: {meaning}" for name, meaning in FACTS.items()]
    if key == "checks":
        lines += [f"#   {name}: {one.description}" for name, one in Checks.model_fields.items()]
    if isinstance(value, dict) and key != "schema":
        pairs = [f"{name}: {_flow(one)}" for name, one in value.items()]
        return [*lines, f"{key}:", *(f"  {pair}" for pair in pairs)]
    return [*lines, f"{key}: {_flow(value)}"]


def _flow(value: Json) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    text = text.removesuffix("\n").removesuffix("\n...").strip()
    return json.dumps(value, ensure_ascii=False) if "\n" in text else text
