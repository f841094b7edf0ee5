"""`textcentric methods`: what can be trained, and what each method is good for."""

from __future__ import annotations

from textcentric.cli.options import AsJson
from textcentric.cli.terminal import columns, show, show_json


def list_(as_json: AsJson = False) -> None:
    """List the methods with task, inputs, needs and cost, and the variants of fusion models.

    The cost of a variant is the time of its step over that of `jt`.
    """
    from textcentric.methods.listing import MethodLine, VariantLine, list_methods

    found = list_methods()
    if as_json:
        show_json({kind: [one._asdict() for one in of] for kind, of in found._asdict().items()})
        return
    show(columns(found.methods, MethodLine._fields))
    show(
        "\nvariants of `textcentric train crmt --variant NAME`; cost: a step's time over that of jt"
    )
    show(columns(found.variants, VariantLine._fields))
