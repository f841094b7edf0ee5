"""Fields that several settings share: what help and reference page say of each stands here once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from textcentric.errors import ConfigError, option
from textcentric.security.headers import check_headers
from textcentric.settings import AnyField, Key, Values, setting

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of damage, where none are given
# Kinds of damage, as `--help` names them; what each does is in `textcentric.corruption`.
DAMAGE = (
    "word-dropout",
    "feature-dropout",
    "image-words",
    "all",
    "dropping",
    "typing",
    "recognition",
    "image-noise",
    "audio-noise",
)
SECRET = re.compile(r"(^|[._-])(key|token|password|secret)$")  # settings that are never saved
# Flags of the roles of columns, by their keys in a schema.
ROLES = {
    "id": Key("id", "Column of the id; row-number counts the rows."),
    "target": Key("target", "Column to predict; none: there is none."),
    "text": Key("text", "Column of text; may be repeated.", repeat=True),
    "image": Key("image", "Column of a picture's path."),
    "audio": Key("audio", "Column of a sound's path."),
    "allow_missing": Key(
        "allow_missing",
        "image or audio: most rows may lack its files; may be repeated.",
        repeat=True,
    ),
    "group": Key("group", "Column of the group, which is never parted between splits."),
    "split_column": Key("split", "Column that says train, validation or test."),
    "ignore": Key("ignore", "Column to leave out; may be repeated.", repeat=True),
}


def bare_address(url: str | None) -> str | None:
    """Return a server's address; raises ConfigError for one that holds more than an address."""
    bare = re.split(r"[?#]", re.sub(r"(^|//)[^/]*@", r"\1", url or ""))[0]
    if bare != (url or ""):
        raise ConfigError(
            f"base_url {bare!r} came with a user, a password or a query, which are left out here;"
            " expected an address like http://127.0.0.1:8000/v1; give the key in the environment"
            " as OPENAI_API_KEY"
        )
    return url


def without_secrets(settings: Values) -> Values:
    """Return an engine's settings; raises ConfigError for one that must not be saved.

    A ConfigError, so that pydantic does not repeat the value.
    """
    bare_address(str(settings.get("base_url") or ""))
    if "headers" in settings:
        check_headers(settings["headers"])
    for path, _ in _texts({k: v for k, v in settings.items() if k != "headers"}):
        if SECRET.search(path):
            raise ConfigError(
                f"engine.{path} would be saved in run.yaml; expected no secret among the"
                " settings: give it in the environment (OPENAI_API_KEY, HF_TOKEN)"
            )
    return settings


def _texts(settings: Values, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts in settings at every depth, each with the names that lead to it."""
    for name, value in settings.items():
        path = f"{above}{name}"
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            yield from _texts(value, f"{path}.")


Address = Annotated[str | None, AfterValidator(bare_address)]
EngineSettings = Annotated[Values, AfterValidator(without_secrets)]


def dataset(default: object = None) -> AnyField:
    """Return the field that names a data set."""
    about = "A table's path, OWNER/NAME, or a named set (see `textcentric data list`)."
    return setting(default, about, panel="Data")


def data_dir() -> AnyField:
    """Return the field of the folder that holds a data set's files."""
    return setting(None, "Folder of the data set's files.", panel="Data", metavar="PATH")


def table_schema(shown: str | None = None) -> AnyField:
    """Return the field that says what the columns of a table are."""
    return setting(
        None,
        "YAML that says which column plays which role, in place of the flags below.",
        panel="Data",
        flags=("--schema",),
        metavar="PATH",
        shown=shown,
        keys=ROLES,
    )


def split(
    default: str | None = None,
    about: str = "Only the rows of this split.",
    shown: str | None = None,
) -> AnyField:
    """Return the field of a split."""
    return setting(default, about, panel="Data", shown=shown)


def only() -> AnyField:
    """Return the field of which variants of a run count."""
    about = "Only variants that were read and called true, or that today's checks believe."
    return setting(None, about, panel="Data")


def check_only(asked: str | None, run: object, rows: str) -> None:
    """Raise ConfigError where `only` is asked for of `rows` that are of no run."""
    if asked is not None and run is None:
        raise ConfigError(
            f"{option('only', asked)} is of a run's variants, whose source, prompt and verdict it"
            f" holds; {rows} hold none of that: give {option('run')}, or leave it out"
        )


def limit() -> AnyField:
    """Return the field of how many rows are read."""
    return setting(None, "At most so many rows.", panel="Data", ge=1)


def allow_missing_columns() -> AnyField:
    """Return the field of whether rows may lack columns of the training."""
    about = "Read columns of the training that the rows lack as empty."
    return setting(False, about, panel="Data")


def image_expert(default: object = "auto", shown: str | None = None) -> AnyField:
    """Return the field of who puts pictures into words."""
    about = "Who puts pictures into words: auto, vlm, labels, packaged, pixels, none or NAME."
    return setting(default, about, panel="Data", shown=shown)


def audio_expert(default: object = "auto", shown: str | None = None) -> AnyField:
    """Return the field of who puts sounds into words."""
    about = "Who puts sounds into words: auto, packaged, sound, none or NAME."
    return setting(default, about, panel="Data", shown=shown)


def expert_words(default: object = "sure", shown: str | None = None) -> AnyField:
    """Return the field of what recognisers of pictures and sounds may say."""
    about = (
        "What recognisers say of pictures and sounds: only what was measured to be right (sure),"
        " or every guess (all)."
    )
    return setting(default, about, panel="Data", shown=shown)


def missing_values(default: object = "skip", shown: str | None = None) -> AnyField:
    """Return the field of what is said of empty cells of a table."""
    about = "Empty cells of the table: skip them, or name them."
    return setting(default, about, panel="Data", shown=shown)


def engine(default: object = "auto", shown: str | None = None) -> AnyField:
    """Return the field of the engine that runs a language model."""
    about = "auto (vllm where it is installed, else transformers), vllm, transformers or openai."
    return setting(default, about, panel="Engine", shown=shown)


def llm() -> AnyField:
    """Return the field of the language model, where another model is the command's own."""
    about = "Language model of the engine: smollm2, a folder or OWNER/NAME."
    return setting(None, about, panel="Engine", shown="that of the training text")


def other_model() -> AnyField:
    """Return the field of whether another language model than in training may write."""
    return setting(False, "Allow another LLM than wrote the training text.", panel="Engine")


def base_url(
    about: str = "Address of the server of --engine openai.", shown: str | None = None
) -> AnyField:
    """Return the field of a server's address."""
    return setting(None, about, panel="Engine", metavar="URL", shown=shown)


def engine_settings() -> AnyField:
    """Return the field of an engine's own arguments."""
    about = "Any other argument of the engine, by --set engine.NAME=VALUE."
    return setting({}, about, panel="Engine", flags=())


def prompt_dir() -> AnyField:
    """Return the field of a folder of the user's own prompts."""
    about = "Folder that adds prompts or overrides them."
    return setting(None, about, panel="Prompts", metavar="PATH")


def of_each_row(about: str, shown: str | None = None) -> AnyField:
    """Return the field of a number that prompts state, or rows have, where none is given."""
    return setting(None, about, panel="Prompts", shown=shown, ge=1)


def stop(when: str, *, ge: int | None = None, gt: int | None = None) -> AnyField:
    """Return the field of a limit at which a run stops and can go on."""
    return setting(None, f"Stop {when}; the same command goes on.", panel="Limits", ge=ge, gt=gt)


def strict(about: str, panel: str, shown: str) -> AnyField:
    """Return the field of the precision that is asked of a verdict."""
    return setting(None, about, panel=panel, shown=shown, ge=0.8, le=0.99)


def reuse() -> AnyField:
    """Return the field of runs whose answers may be taken."""
    about = "Run whose answers may be taken; may be repeated."
    return setting((), about, panel="Output", repeat=True, metavar="RUN")


def max_failed() -> AnyField:
    """Return the field of the share of failures that is too high."""
    about = "Share of failures, 0 to 1, above which it ends with 3."
    return setting(0.05, about, panel="Limits", ge=0, le=1)


def seed(panel: str | None = None) -> AnyField:
    """Return the field of the seed."""
    return setting(0, "Decides every draw.", panel=panel)


def output_dir(about: str, default: object = None, shown: str | None = None) -> AnyField:
    """Return the field of the folder that a command writes."""
    return setting(
        default,
        about,
        panel="Output",
        flags=("-o", "--output-dir"),
        metavar="PATH",
        shown=shown,
    )


def output(about: str, shown: str) -> AnyField:
    """Return the field of the file that a command writes, where one is named."""
    return setting(
        None, about, panel="Output", flags=("-o", "--output"), metavar="PATH", shown=shown
    )


def at_most(what: str, *, least: int = 1) -> AnyField:
    """Return the field of how many of something are taken."""
    return setting(None, f"At most so many {what}.", panel="Data", ge=least)


def revision() -> AnyField:
    """Return the field of a revision of a model on the hub."""
    return setting(None, "Of a model on the hub.", panel="Model")


def trust_remote_code() -> AnyField:
    """Return the field of whether a model's own code is run."""
    return setting(False, "Run the code that a model brings.", panel="Model")


def attn_implementation() -> AnyField:
    """Return the field of transformers' attention."""
    about = "Of transformers: eager, sdpa, ..."
    return setting(None, about, panel="Model", shown="the model's own")


def dtype() -> AnyField:
    """Return the field of the number format of weights."""
    return setting("float32", "Number format of the weights.", panel="Model")


def layers() -> AnyField:
    """Return the field of how many layers of a transformer are kept."""
    about = "Keep only the first so many layers of the transformer."
    return setting(None, about, panel="Model", shown="all", ge=1)


def lora_target_modules() -> AnyField:
    """Return the field of the layers that LoRA adapts."""
    return setting("all-linear", "Layers that are adapted.", panel="Model")


def corruptions(default: object) -> AnyField:
    """Return the field of the kinds of damage."""
    about = f"Kinds of damage: {', '.join(DAMAGE)}; all is words, columns and pictures."
    return setting(default, about, panel="Damage")


def levels() -> AnyField:
    """Return the field of the strengths of damage."""
    return setting(LEVELS, "Of damage, in (0, 1].", panel="Damage")


def most_missing(*, least: int = 0) -> AnyField:
    """Return the field of how many modalities are taken away at a time."""
    about = "Modalities removed at a time, at most." + ("" if least else " 0: none.")
    return setting(None, about, panel="Damage", shown="any number", ge=least)


def orders() -> AnyField:
    """Return the field of how many rows are read in every order of their parts."""
    about = "Rows read in every order of their parts; 0: none."
    return setting(0, about, panel="Damage", ge=0)


def metric() -> AnyField:
    """Return the field of what is scored."""
    return setting(None, "What is scored.", shown="the task's own")


def image_dir() -> AnyField:
    """Return the field of a folder of pictures."""
    about = "Folder of the pictures, seen or put into words."
    return setting(None, about, panel="Data", metavar="PATH")


def layout() -> AnyField:
    """Return the field of the layout of pairs."""
    return setting(None, "Of the pairs, by name.", panel="Data", shown="told from the columns")


def batch_size(default: int, what: str) -> AnyField:
    """Return the field of how many are read at a time."""
    return setting(default, f"{what} at a time.", panel="Limits", ge=1)
