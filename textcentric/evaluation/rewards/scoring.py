"""Responses scored by a reward model: a table in, a line with the reward of each out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from textcentric.data.pairs.layouts import Row, said_of_picture
from textcentric.data.pairs.loading import reasons
from textcentric.data.pairs.messages import is_conversation, plain
from textcentric.data.pairs.notation import as_list, opened
from textcentric.data.pairs.pictures import pictures_of
from textcentric.data.pairs.questions import asked
from textcentric.data.tables.frames import table_in_hand
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError, option
from textcentric.evaluation.config import EvaluateRewardConfig, ScoreConfig
from textcentric.evaluation.rewards.scores_file import ScoresFile, open_scores
from textcentric.methods.reward import Item, Reward
from textcentric.methods.reward.method import PAPERS
from textcentric.methods.reward.words import describe_files, shown, why_unseen
from textcentric.training.folder import find_model_folder
from textcentric.values import Json

CHUNK = 16  # batches that are read before they are sorted by length and scored
Describe = Callable[[Sequence[Item]], list[Item | str]]  # items as they are read, or why not
RESPONSES = ("response", "responses", "completion", "output")
REPEATED = 50_000  # characters of a prompt and of a response that a line repeats


@dataclass
class Scoring:
    """A scoring under way: `done` were scored before; the others are counted as they come.

    Those that could not be scored before count as `failed` too.
    """

    lines: Iterator[dict[str, Json]]
    done: int
    file: ScoresFile | None = None  # where each line is written before it is yielded
    scored: int = 0
    failed: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)
    unshown: list[str] = field(default_factory=list)  # pictures without a folder to look in

    def notes(self) -> list[str]:
        """Return what was not read of the table, once all of it is."""
        told = reasons(self.left_out)
        if self.unshown:
            told.append(
                f"{len(self.unshown):,} responses name a picture that is not shown (first:"
                f" {self.unshown[0]}); {option('image_dir')} is the folder of pictures"
            )
        return told

    def __iter__(self) -> Iterator[dict[str, Json]]:
        """Yield a line for each response; it stands in the file of scores, where there is one."""
        with closing(self.file) if self.file else nullcontext():
            for line in self.lines:
                if self.file is not None:
                    self.file.add(line)
                self.scored += "score" in line
                self.failed += "error" in line
                yield line


def score_responses(model: str | Path, config: ScoreConfig, responses: object = None) -> Scoring:
    """Open the scoring of what settings name, without what `output` holds already.

    `responses` are rows in hand that stand in for the table of the settings. Raises RunError where
    `output` is no file of scores by these weights, or another command writes it.
    """
    method = load_reward_model(find_reward_model(str(model)), config)
    weights = weights_digest(method)
    describe: Describe = list
    if not method.eyes:
        describe = partial(items_in_words, image_dir=config.image_dir, expert=config.image_expert)
    if not method.eyes and config.image_dir is not None:
        weights = f"{weights}/{config.image_expert}"
    file = open_scores(config.output, weights) if config.output else None
    done, failed = (file.done, file.failed) if file else (set(), 0)
    source = config.input if responses is None else responses
    scoring = Scoring(iter(()), len(done) - failed, file, failed=failed)
    rows = items(source, scoring.left_out)
    wanted: Iterable[Item] = (item for item in rows if item_key(item) not in done)
    if not method.eyes:
        wanted = _noticed(wanted, config.image_dir, scoring.unshown)
    scoring.lines = score_lines(method, weights, wanted, config.batch_size, describe)
    return scoring


def _noticed(items: Iterable[Item], image_dir: str | None, unshown: list[str]) -> Iterator[Item]:
    """Yield the items; `unshown` gets the pictures that nothing is told of."""
    for item in items:
        if item.images and not item.descriptions and not shown(item.images, image_dir):
            unshown.append(item.images[0])
        yield item


def find_reward_model(name: str) -> Path:
    """Return the folder of the reward model `name`; raises ConfigError with the nearest one."""
    return find_model_folder(name, PAPERS, "reward model")


def load_reward_model(folder: Path, config: ScoreConfig | EvaluateRewardConfig) -> Reward:
    """Load the model; one that sees pictures looks for files of a name in the folder of these."""
    return Reward.load(folder, config.image_dir, trust_remote_code=config.trust_remote_code)


def items_in_words(items: Sequence[Item], image_dir: str | None, expert: str) -> list[Item | str]:
    """Return the items with their pictures in words, or why not; words that are there stay.

    Without `image_dir` only pictures that the rows hold themselves are put into words.
    """
    albums = [() if item.descriptions else shown(item.images, image_dir) for item in items]
    words = describe_files(albums, image_dir, expert)
    return [
        _in_words(item, told) if told or not album else why_unseen(album, image_dir)
        for item, album, told in zip(items, albums, words, strict=True)
    ]


def _in_words(item: Item, told: str) -> Item:
    return item._replace(descriptions={"image": told}) if told else item


def items(source: object, left_out: LeftOut | None = None) -> Iterator[Item]:
    """Yield the responses of a table, by path or in hand, of which a row may have several.

    A row that cannot be read gives one item, which says why; lines that are no row are counted in
    `left_out`.
    """
    table = table_in_hand(source) or open_table(Path(str(source)))
    column = next((name for name in RESPONSES if name in table.columns), None)
    if column is None:
        raise DataError(
            f"{table.path} has the columns {', '.join(table.columns)}; expected response (or"
            " responses), and prompt and image_description where there are any"
        )
    for number, row in enumerate(table.rows(left_out)):
        name = str(row.get("id", number))
        try:
            yield from list(_of_row(name, opened(row), column))
        except DataError as error:
            yield Item({}, "", "", name, problem=str(error))


def _of_row(name: str, row: Row, column: str) -> Iterator[Item]:
    """Yield the responses of a row; the turns before one that is a conversation are its prompt."""
    given = row.get(column)
    responses = [given]
    if not is_conversation(given) and (isinstance(given, list) or column == "responses"):
        responses = as_list(given)
    words, images = said_of_picture(row), pictures_of(row)
    for at, response in enumerate(responses):
        called = name if len(responses) == 1 else f"{name}/{at}"
        before = response[:-1] if is_conversation(response) else ()
        last = response[-1] if is_conversation(response) else response
        yield Item(words, asked(row, before), plain(last), called, images)


def score_lines(
    method: Reward, weights: str, wanted: Iterable[Item], batch_size: int, describe: Describe
) -> Iterator[dict[str, Json]]:
    """Yield a line for each item: prompt and response, and its score or why it has none.

    Texts are repeated up to `REPEATED` characters, so that a line can be read back.
    """
    wanted = iter(wanted)
    while chunk := list(islice(wanted, CHUNK * batch_size)):
        read = describe(chunk)
        faults = [one if isinstance(one, str) else method.fault(one) for one in read]
        good = [
            one for one, why in zip(read, faults, strict=True) if isinstance(one, Item) and not why
        ]
        scores = iter(method.score(good, batch_size).tolist())
        for item, why in zip(chunk, faults, strict=True):
            told = {"error": why} if why else {"score": round(next(scores), 6)}
            texts = {"prompt": item.prompt[:REPEATED], "response": item.response[:REPEATED]}
            keys = {"key": item_key(item), "weights": weights}
            yield {"id": item.name, **texts, **told, **keys}


def item_key(item: Item) -> str:
    """Return a digest of what is scored."""
    read = repr((item.name, dict(item.descriptions), item.prompt, item.response, item.images))
    return hashlib.blake2b(read.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def weights_digest(method: Reward) -> str:
    """Return a digest of the model's weights."""
    total = hashlib.blake2b(digest_size=8)
    for name, value in sorted(method.model.main.state_dict().items()):
        total.update(name.encode())
        total.update(value.detach().cpu().contiguous().view(-1).float().numpy().tobytes())
    return total.hexdigest()
