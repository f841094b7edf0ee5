"""The settings of `review`: who reads, how the sheet is drawn, where answers come from and go."""

from __future__ import annotations

from pathlib import Path

from textcentric.settings import Settings, setting


class ReviewConfig(Settings):
    """Everything that `textcentric review` can be told."""

    called = "review"
    panel = "Reading"

    reader: str = setting(
        "reader", "Who reads; each reader sees only their own answers.", min_length=1
    )
    who: str = setting(
        "a person",
        "What the reader is, written beside each answer: a person, or the model that reads.",
        min_length=1,
    )
    accepted: int = setting(30, "Accepted variants of each prompt.", panel="Sheet", ge=1)
    refused: int = setting(10, "Refused variants of each prompt.", panel="Sheet", ge=0)
    seed: int = setting(0, "What the sheet is drawn by.", panel="Sheet")
    new_sheet: bool = setting(
        False, "Draw another sheet, without what former ones hold.", panel="Sheet"
    )
    port: int = setting(0, "Port of the page; 0: any that is free.", panel="Page", ge=0, le=65535)
    terminal: bool = setting(False, "Read in the terminal.", panel="Page")
    export: Path | None = setting(
        None, "Write the sheet there (.csv or .jsonl), without verdicts.", panel="Files"
    )
    import_: Path | None = setting(
        None, "Take answers from there (.csv or .jsonl).", panel="Files", flags=("--import",)
    )
