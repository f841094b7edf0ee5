"""Requests from prompts: rendered turns, sampling values and what names the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from textcentric.engines.protocol import Request, Sampling
from textcentric.errors import PromptError, unknown
from textcentric.prompts.prompt import Prompt
from textcentric.settings import Given
from textcentric.values import JsonSchema, Variables


class RequestBuilder:
    """Build requests for one engine; flags for temperature and tokens win over a prompt's own.

    `fingerprint` is the engine's: model, model_revision, template_digest.
    """

    def __init__(
        self,
        fingerprint: Mapping[str, str],
        *,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ):
        self.fingerprint = fingerprint
        flags = {"temperature": temperature, "max_tokens": max_tokens}
        self._flags = {name: value for name, value in flags.items() if value is not None}
        self._sampling: dict[str, tuple[Sampling, Given]] = {}

    def build(
        self, prompt: Prompt, variables: Variables, seed: int, schema: JsonSchema | None = None
    ) -> tuple[Request, str]:
        """Render `prompt` into a request; return it and the words its answer begins with.

        `schema` stands in for the prompt's own where the row gives the choices.

        Raises PromptError where the prompt cannot be rendered.
        """
        rendered = prompt.render(variables)
        sampling = self._defaults(prompt)[0]
        own = prompt.front.answer_schema
        request = Request.of(
            rendered.turns,
            self.fingerprint,
            replace(sampling, seed=seed % 2**31) if sampling.temperature else sampling,
            schema or (fill_enums(own, variables) if own else None),
        )
        return request, rendered.begin

    def sampling(self, prompt: Prompt) -> Given:
        """Return the prompt's sampling values, seed aside."""
        return self._defaults(prompt)[1]

    def _defaults(self, prompt: Prompt) -> tuple[Sampling, Given]:
        found = self._sampling.get(prompt.digest)
        if found is None:
            values = prompt.front.sampling.model_dump() | self._flags
            values["stop"] = tuple(values["stop"])
            sampling = Sampling(**values)
            seedless = {k: v for k, v in asdict(sampling).items() if k != "seed"}
            found = self._sampling[prompt.digest] = sampling, seedless
        return found


def keys_of(asked: Sequence[Request]) -> str | None:
    """Return the keys of requests, space between; None where none was asked."""
    return " ".join(request.key for request in asked) or None


def fill_enums(schema: JsonSchema, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` with the name of a variable under an enum replaced by its values.

    >>> fill_enums({"enum": "choices"}, {"choices": ["slow", "fast"]})
    {'enum': ['slow', 'fast']}
    """
    filled: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "enum" and isinstance(value, str):
            if value not in variables:
                raise PromptError(f"schema: {unknown('variable', value, variables)}")
            filled[key] = list(variables[value])
        else:
            filled[key] = fill_enums(value, variables) if isinstance(value, Mapping) else value
    return filled
