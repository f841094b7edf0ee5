"""Reading back: the engine is asked for the source, given the variant; what fails stays open."""

from __future__ import annotations

from textcentric.checks.back_reading import back_reader
from textcentric.checks.edit import Edit
from textcentric.engines.protocol import Request
from textcentric.engines.scripted import ScriptedEngine
from textcentric.errors import RequestError


def test_each_edit_gets_the_likelihood_of_its_source() -> None:
    engine = ScriptedEngine(likelihood=lambda request, text: -float(len(text)))
    read = back_reader(engine)([Edit("He is calm.", "He is quiet.", begin="He is")])
    assert [edit.back for edit in read] == [-float(len(" calm."))]
    request, text = engine.read[0]
    assert text == " calm."
    assert "He is quiet." in request.messages[-1].content


def test_an_edit_that_is_too_long_for_the_model_stays_as_it_is() -> None:
    def likelihood(request: Request, text: str) -> float:
        raise RequestError("too long", kind="length")

    edit = Edit("He is calm.", "He is quiet.")
    assert back_reader(ScriptedEngine(likelihood=likelihood))([edit]) == [edit]
