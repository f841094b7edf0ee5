"""`textcentric prompts`: the library of prompts, and trying and adding to it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textcentric.augmentation.config import EXPERTS, ROWS, AugmentConfig
from textcentric.cli.options import AsJson, Verbose, configured
from textcentric.cli.terminal import columns, say, show, show_json
from textcentric.command_line import command
from textcentric.errors import ConfigError, PromptError, TextCentricError
from textcentric.folders import write_text
from textcentric.security.visible import in_line

if TYPE_CHECKING:
    from textcentric.augmentation.curation import Draft
    from textcentric.augmentation.expansion import Expansion
    from textcentric.augmentation.trial import Trial
    from textcentric.engines.protocol import Engine, Message, Request, Response
    from textcentric.prompts.calibration import Reading
    from textcentric.prompts.library import PromptLibrary
    from textcentric.prompts.prompt import Prompt
    from textcentric.runs.columns import Failure, Output

ENGINE = ("engine", "model", "base_url", "engine_settings")
SAMPLING = ("temperature", "max_tokens", "embeddings", "seed")
PromptDir = Annotated[
    str | None,
    typer.Option(
        "--prompt-dir", metavar="PATH", help="Folder that adds prompts or overrides them."
    ),
]
UNREAD = "none of these was read under today's checks: `textcentric review RUN`"
MINE = "my-prompts"  # folder of new prompts
LISTED = ("prompt", "", "stage", "label", "intent")
DEFAULT = " (the default)"


def list_(prompt_dir: PromptDir = None, as_json: AsJson = False) -> None:
    """List the prompts with their effect on the label, and the bank's families."""
    list_prompts(prompt_dir, as_json=as_json)


def show_(
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    prompt_dir: PromptDir = None,
) -> None:
    """Print a prompt's file, or an instruction of the bank."""
    show_prompt(name, prompt_dir)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its id, such as mine/plain.")],
    like: Annotated[
        str | None, typer.Option("--like", metavar="ID", help="A prompt to begin with.")
    ] = None,
    prompt_dir: PromptDir = None,
) -> None:
    """Write a commented prompt file into a folder of yours; without --prompt-dir my-prompts.

    Example: textcentric prompts new mine/plain --like adversarial/paraphrase
    """
    new_prompt(name, like, Path(prompt_dir or MINE))


@configured("augmentation.config", only=(*ROWS[:3], "prompt_dir"), file=False)
def lint(
    config: AugmentConfig,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|FOLDER]...", help="Default: all prompts.")
    ] = None,
) -> None:
    """Check prompts without a model; ends with 2 if anything is wrong with any of them.

    With --dataset the columns that they read are looked for in its table.
    """
    raise typer.Exit(lint_command(names or [], config))


@configured("augmentation.config", only=(*ROWS[:3], "prompt_dir", *ENGINE, *EXPERTS, *SAMPLING))
def try_(
    config: AugmentConfig,
    name: Annotated[str, typer.Argument(metavar="ID", help="A prompt's id, or bank/ID.")],
    row: Annotated[
        str | None,
        typer.Option(
            "--row",
            metavar="TEXT",
            help="The row's id; default: the first.",
            rich_help_panel="Data",
        ),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Put one row through one prompt: the turns, what the model wrote, what the checks say.

    Example: textcentric prompts try adversarial/noise --dataset petfinder
    """
    from textcentric.cli.terminal import silence

    silence(verbose)
    try_command(config, name, row, as_json=as_json)


@configured("augmentation.config", only=(*ENGINE, *SAMPLING))
def expand(
    config: AugmentConfig,
    prompt_dir: Annotated[
        str,
        typer.Option(
            "--prompt-dir",
            metavar="PATH",
            help="Folder whose instructions.jsonl is added to.",
            rich_help_panel="Prompts",
        ),
    ],
    number: Annotated[
        int,
        typer.Option(
            "--number",
            "-n",
            min=1,
            metavar="INTEGER",
            help="Instructions wanted.",
            rich_help_panel="Prompts",
        ),
    ] = 10,
    family: Annotated[
        str | None,
        typer.Option(
            "--family", metavar="TEXT", help="Only of this family.", rich_help_panel="Prompts"
        ),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Let the model write more adversarial instructions into the bank of a folder of yours.

    Example: textcentric prompts expand --prompt-dir my-prompts --number 20 --family style
    """
    from textcentric.cli.terminal import silence

    silence(verbose)
    expand_command(config, number, family, as_json=as_json)


def list_prompts(prompt_dir: str | None, *, as_json: bool) -> None:
    """Print every prompt, and the bank's families with their counts."""
    from textcentric.prompts.library import open_library

    library = open_library(prompt_dir, lambda error: say(f"left out: {error}"))
    listed = [library[name] for name in sorted(library.prompts)]
    families = Counter(entry.family for entry in library.bank)
    read = _read(library)
    if as_json:
        keys = {"id", "version", "stage", "label", "intent", "reads", "writes"}
        words = {name: f"{words}, with {model}" for name, model, words in read}
        prompts = [
            {
                **one.front.model_dump(mode="json", include=keys),
                "default": library.is_default(one),
                "read": words.get(one.id),
            }
            for one in listed
        ]
        show_json({"prompts": prompts, "bank": dict(families)})
        return
    show(columns([_line(library, one) for one in listed], LISTED))
    if read:
        show(f"\n{columns(read, ['read', 'with', 'variants'])}")
    say("prompts without a line were never read: `textcentric review RUN`" if read else UNREAD)
    show(f"\nthe bank: {len(library.bank)} instructions, drawn a row with --prompts bank")
    show(columns([[family, n] for family, n in families.items()]))


def _line(library: PromptLibrary, prompt: Prompt) -> list[str]:
    front = prompt.front
    intent = f"{front.intent}{DEFAULT if library.is_default(prompt) else ''}"
    return [front.id, f"v{front.version}", front.stage, front.label, intent]


def _read(library: PromptLibrary) -> list[tuple[str, str, str]]:
    """Return what was read of today's prompts under today's checks: prompt, model, in words."""
    from textcentric.checks.identity import checks_identity
    from textcentric.prompts.calibration import added, read_calibration

    known: dict[tuple[str, str], list[Reading]] = {}
    calibration = read_calibration()
    for one in calibration.readings:
        prompt = library.prompts.get(one.prompt)
        now = calibration.checks_now(one, checks_identity())
        if prompt is not None and (one.digest, one.checks) == (prompt.digest, now):
            model = f"{one.model} at {one.temperature:g}" if one.model else "any model"
            known.setdefault((one.prompt, model), []).append(one)
    together = {key: added(of) for key, of in sorted(known.items())}
    return [(*key, _words(one)) for key, one in together.items()]


def _words(reading: Reading) -> str:
    """Return how much was true, and how much was accepted at all with this model."""
    said = reading.yield_words()
    return reading.words() + (f"; {said} with this model" if said else "")


def show_prompt(name: str, prompt_dir: str | None) -> None:
    """Print the file of a prompt, or the line of an instruction."""
    from textcentric.prompts.library import BANK, as_line, instruction, open_library

    library = open_library(prompt_dir)
    if name.startswith(BANK):
        entry = instruction(library, name)
        show_json(as_line(entry), indent=2)
        return
    prompt = library[name]
    path = prompt.path
    if path is None:
        raise PromptError(f"prompt {name} comes from no file", prompt=name)
    say(f"{path}{DEFAULT if library.is_default(prompt) else ''}")
    show(path.read_text(encoding="utf-8"), end="")


def new_prompt(name: str, like: str | None, folder: Path) -> None:
    """Write the file of a new prompt, never over another; print its path."""
    from textcentric.prompts.draft import drafted
    from textcentric.prompts.library import open_library

    library = open_library(str(folder) if folder.is_dir() else None)
    text = drafted(name, None if like is None else library[like])
    path = folder / f"{name}.jinja"
    if path.exists():
        raise PromptError(f"{path} exists and stays as it is; give another NAME", prompt=name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--prompt-dir {folder}: {error.strerror}; name a folder") from error
    write_text(path, text)
    show(path)
    if name in library.prompts:
        say(f"with --prompt-dir {folder} it takes the place of the prompt of that id")
    say(f"next: {command('prompts', 'try', name, prompt_dir=folder)}")


def lint_command(names: Sequence[str], config: AugmentConfig) -> int:
    """Print one line a problem; return 2 if there is any."""
    from textcentric.prompts.lint import check_file, prompt_files

    files = prompt_files(names, config.prompt_dir)
    columns = _columns_of(config)
    problems = [(path, problem) for path in files for problem in check_file(path, columns)]
    for path, problem in problems:
        show(in_line(problem if str(path) in problem else f"{path}: {problem}"))
    say(f"files: {len(files)}, problems: {len(problems)}")
    return 2 if problems else 0


def _columns_of(config: AugmentConfig) -> Collection[str] | None:
    """Return the names of the columns of the table that was named, None where none was."""
    if "dataset" not in config.model_fields_set:
        return None
    from textcentric.augmentation.opening import load_rows
    from textcentric.data.named_columns import table_labels

    return table_labels(load_rows(config))


def try_command(
    config: AugmentConfig,
    name: str,
    row_id: str | None,
    *,
    as_json: bool = False,
    engine: Engine | None = None,
) -> None:
    """Try the prompt `name` and print what came of it; `engine` stands in for the configured."""
    from textcentric.augmentation.trial import try_prompt

    trial = try_prompt(config, name, row_id, engine=engine, say=say)
    if as_json:
        show_json(as_dict(trial))
    else:
        show(_trial_as_text(trial))


def as_dict(trial: Trial) -> dict[str, Any]:
    """Return a trial as JSON-ready dicts and lists."""
    pieces = [piece for draft in trial.drafts for piece in draft.pieces]
    return {
        "prompt": trial.prompt.id,
        "row": trial.record.id,
        "requests": [_asked(request, answer) for request, answer in trial.asked],
        "pieces": [asdict(piece) for piece in pieces],
        "outputs": [asdict(output) for output in trial.outputs],
    }


def _asked(request: Request, answer: Response | TextCentricError) -> dict[str, Any]:
    turns = [{"role": turn.role, "text": turn.content} for turn in request.messages]
    if isinstance(answer, TextCentricError):
        return {"turns": turns, "error": str(answer)}
    return {"turns": turns, "answer": answer.text, "finish": answer.finish}


def _trial_as_text(trial: Trial) -> str:
    front = trial.prompt.front
    lines = [f"{trial.prompt.id} v{front.version} on row {in_line(trial.record.id)}"]
    shown: tuple[Message, ...] = ()
    for number, (request, answer) in enumerate(trial.asked, 1):
        lines.append(f"\n== request {number} of {len(trial.asked)}")
        new = [turn for turn in request.messages if turn not in shown]
        lines += ["(other turns as above)"] if len(new) < len(request.messages) else []
        lines += [f"[{turn.role}] {turn.content}" for turn in new]
        shown = request.messages
        if isinstance(answer, TextCentricError):
            lines.append(f"[failed] {in_line(answer)}")
        else:
            lines.append(f"[model] {answer.text}")
    lines += _verdicts(trial.drafts)
    for output in trial.outputs:
        lines += _outcome(output, trial)
    return "\n".join(lines)


def _verdicts(drafts: Sequence[Draft]) -> list[str]:
    """Return a line for each piece: what it stands for, what became of it and why."""
    lines = ["\n== checks"] if drafts else []
    for piece in (piece for draft in drafts for piece in draft.pieces):
        verdict = f"dropped ({piece.reason})" if piece.reason else "kept"
        similarity = "" if piece.similarity is None else f", similarity {piece.similarity:.3f}"
        cuts = f", cut: {', '.join(piece.cuts)}" if piece.cuts else ""
        lines += [f"{verdict}{similarity}{cuts}", f"  - {piece.source}", f"  + {piece.text}"]
    return lines


def _outcome(output: Output | Failure, trial: Trial) -> list[str]:
    from textcentric.runs.columns import Failure, dump

    if isinstance(output, Failure):
        return [f"\n{in_line(f'== {output.id}: failed at {output.stage}: {output.message}')}"]
    if output.prompt == "clean" and trial.drafts:
        return []  # the row itself stands in the requests
    fate = f"rejected: {output.reason}" if output.reason else "accepted"
    lines = [f"\n== {in_line(output.id)}: {in_line(fate)}"]
    lines += [f"scores: {dump(output.scores)}"] if output.scores else []
    lines += [f"notes: {output.notes}"] if output.notes else []
    return [*lines, output.text]


def expand_command(
    config: AugmentConfig,
    number: int,
    family: str | None,
    *,
    as_json: bool = False,
    engine: Engine | None = None,
) -> None:
    """Add up to `number` instructions to the bank in `config.prompt_dir` and say what came of it.

    `engine` stands in for the configured one.
    """
    from textcentric.augmentation.expansion import BANK, bank_families, expanded, open_encoder
    from textcentric.augmentation.opening import make_engine
    from textcentric.engines import telling
    from textcentric.prompts.library import PromptLibrary, as_line, read_bank

    if config.prompt_dir is None:
        raise ConfigError("no --prompt-dir; name the folder whose instructions.jsonl is added to")
    path = Path(config.prompt_dir) / BANK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--prompt-dir {path.parent}: {error.strerror}; name a folder") from error
    own = read_bank(path) if path.is_file() else []
    library = PromptLibrary.load(path.parent)
    families = bank_families(library, family)
    encoder = open_encoder(config, say)
    engine = telling(engine or make_engine(config), say)
    found = asyncio.run(expanded(config, library, families, number, encoder, engine))
    if found.kept:
        lines = [json.dumps(as_line(one), ensure_ascii=False) for one in (*own, *found.kept)]
        write_text(path, "\n".join(lines) + "\n")
    _tell(found, path, as_json)


def _tell(found: Expansion, path: Path, as_json: bool) -> None:
    from textcentric.prompts.library import as_line

    dropped = dict(found.dropped.most_common())
    if as_json:
        kept = [as_line(one) for one in found.kept]
        show_json({"asked": found.asked, "kept": kept, "dropped": dropped})
    else:
        for one in found.kept:
            show(in_line(f"{one.id}  {one.instruction}"))
    why = f" ({', '.join(f'{reason} {n}' for reason, n in dropped.items())})" if dropped else ""
    say(f"asked {found.asked} times: {len(found.kept)} kept, {found.dropped.total()} dropped{why}")
    if found.kept:
        say(f"added to {path}; read them before use: nobody has checked what they ask for")
    if len(found.kept) < found.wanted:
        say(
            f"{found.wanted} were wanted; a larger --model writes more that is new, and another"
            " --seed draws other examples"
        )
