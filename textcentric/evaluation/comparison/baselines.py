"""The cheap arms that an augmented model has to beat: no LLM, no fine-tuning, a minute or two.

They read the raw row and the experts' words, and fit one scikit-learn model. For ordered classes
it predicts a number, which is cut so that the classes get their shares of the training rows;
what is cut there comes from folds that keep groups whole, because a model's scores of its own
training rows lie too far apart.
Legend: N rows, F features, D width of an embedding.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from textcentric.data.readings import number
from textcentric.errors import DataError, check_known
from textcentric.experts.table import is_missing
from textcentric.metrics.scores import (
    constant_prediction,
    cut_scores,
    default_metric,
    find_score,
    quantile_cuts,
    score,
)
from textcentric.models.packaged import packaged_encoder
from textcentric.models.sentence_encoder import SentenceEncoder
from textcentric.rows import Record, Target
from textcentric.values import Cell, Cells

Parts = Mapping[str, str]
Groups = Sequence[str | None] | None
Embed = Callable[[Sequence[str]], np.ndarray]  # texts -> (N, D)
FOLDS = 5
RARE = 5  # words of a column that fewer training rows have count as one
MOST_WORDS = 250  # of a column; HistGradientBoosting takes 255 categories
TOPICS = 10  # directions kept of the words of a part
RIDGE = (0.3, 1.0, 3.0, 10.0, 30.0)  # penalties tried
LOGISTIC = (0.3, 1.0, 3.0, 10.0, 30.0)  # inverse penalties tried


class Baseline(Protocol):
    """An arm: fitted once, then asked about clean and corrupted rows."""

    def fit(
        self,
        records: Sequence[Record],
        parts: Sequence[Parts],
        targets: Sequence[Target],
        groups: Groups = None,
    ) -> Baseline:
        """Learn from raw rows, the experts' words about them and their targets; return self."""
        ...

    def predict(self, records: Sequence[Record], parts: Sequence[Parts]) -> list[Target]:
        """Return one prediction a row: a class as the targets had it, or a number."""
        ...


class Constant:
    """`constant`: the most frequent class, or the mean, whatever the row says."""

    def __init__(self, task: str):
        self.metric = default_metric(task)

    def fit(
        self,
        records: Sequence[Record],
        parts: Sequence[Parts],
        targets: Sequence[Target],
        groups: Groups = None,
    ) -> Constant:
        """Keep the best constant of `targets`."""
        self.value = constant_prediction(targets, self.metric)
        return self

    def predict(self, records: Sequence[Record], parts: Sequence[Parts]) -> list[Target]:
        """Return the constant, once a row."""
        return [self.value] * len(records)


class TableBoost:
    """`table-boost`: gradient boosting on the table's columns and simple features of the words.

    What is missing stays missing (NaN): the trees branch on it.
    """

    def __init__(self, task: str, *, seed: int = 0):
        self.head = Head(task, seed)
        self.seed = seed

    def fit(
        self,
        records: Sequence[Record],
        parts: Sequence[Parts],
        targets: Sequence[Target],
        groups: Groups = None,
    ) -> TableBoost:
        """Learn what columns and words there are, then the trees."""
        self.columns = Columns([_table(record) for record in records])
        self.words = {
            name: Topics([part.get(name, "") for part in parts], self.seed)
            for name in _names(parts)
        }
        features = self._features(records, parts)  # (N, F)
        categorical = np.arange(features.shape[1]) < len(self.columns.codes)
        make = HistGradientBoostingRegressor
        if self.head.task == "classification":
            make = HistGradientBoostingClassifier
        trees = make(
            learning_rate=0.05,
            max_iter=100,
            max_leaf_nodes=15,
            l2_regularization=1.0,
            max_features=0.3,  # of those that a split may choose from: what the seed changes
            early_stopping=False,
            categorical_features=categorical,
            random_state=self.seed,
        )
        self.head.fit([trees], features, targets, groups)
        return self

    def predict(self, records: Sequence[Record], parts: Sequence[Parts]) -> list[Target]:
        """Return one prediction a row."""
        return self.head.predict(self._features(records, parts))

    def _features(self, records: Sequence[Record], parts: Sequence[Parts]) -> np.ndarray:
        blocks = [self.columns.features([_table(record) for record in records])]
        for name, topics in self.words.items():
            blocks.append(topics.features([part.get(name, "") for part in parts]))
        return np.concatenate(blocks, axis=1)  # (N, F)


class LateFusion:
    """`late-fusion`: a frozen embedding of each part, and one linear head over all of them.

    A missing part is a zero vector and a 1 that says so.
    """

    def __init__(self, task: str, *, seed: int = 0, embed: Embed | None = None):
        self.head = Head(task, seed)
        self.embed = embed or sentence_embedding()

    def fit(
        self,
        records: Sequence[Record],
        parts: Sequence[Parts],
        targets: Sequence[Target],
        groups: Groups = None,
    ) -> LateFusion:
        """Learn the head; its penalty is the best one on folds that keep groups whole."""
        self.names = _names(parts)
        heads: Sequence[BaseEstimator] = [Ridge(alpha=penalty) for penalty in RIDGE]
        if self.head.task == "classification":
            heads = [LogisticRegression(C=inverse, max_iter=1000) for inverse in LOGISTIC]
        self.head.fit(heads, self._features(parts), targets, groups)
        return self

    def predict(self, records: Sequence[Record], parts: Sequence[Parts]) -> list[Target]:
        """Return one prediction a row."""
        return self.head.predict(self._features(parts))

    def _features(self, parts: Sequence[Parts]) -> np.ndarray:
        blocks: list[np.ndarray] = []
        for name in self.names:
            texts = [part.get(name, "") for part in parts]
            there = np.array([[bool(text.strip())] for text in texts])  # (N, 1)
            blocks += [np.where(there, self.embed(texts), 0.0), ~there]
        return np.concatenate(blocks, axis=1)  # (N, parts * (D + 1))


BASELINES: dict[str, Callable[..., Baseline]] = {
    "constant": lambda task, **_: Constant(task),
    "table-boost": lambda task, seed, **_: TableBoost(task, seed=seed),
    "late-fusion": LateFusion,
}


def open_baseline(name: str, task: str, *, seed: int = 0, embed: Embed | None = None) -> Baseline:
    """Return the arm called `name`; raise ConfigError for an unknown name or task.

    >>> arm = open_baseline("table-boost", "ordinal", seed=1)  # doctest: +SKIP
    >>> arm.fit(records, parts, targets, rescuers).predict(records, parts)  # doctest: +SKIP
    [2, 4, 1]
    """
    check_known("baseline", name, BASELINES)
    return BASELINES[name](task, seed=seed, embed=embed)


class Head:
    """What turns features (N, F) into targets of one task."""

    def __init__(self, task: str, seed: int = 0):
        self.task, self.seed = task, seed
        self.metric = default_metric(task)

    def fit(
        self,
        candidates: Sequence[BaseEstimator],
        features: np.ndarray,
        targets: Sequence[Target],
        groups: Groups,
    ) -> None:
        """Fit the one of `candidates` that is best on rows that it was not fitted on."""
        units = _units(groups, len(targets))
        self._refuse(features, targets, units)
        self.classes = sorted(set(targets))  # type: ignore[type-var]
        wanted = np.asarray(targets)
        if self.task == "classification":
            wanted = np.array([self.classes.index(target) for target in targets])
        apart = [self._held_out(model, features, wanted, units) for model in candidates]
        judge = "accuracy" if self.task == "classification" else "r2"
        best = int(np.argmax([score(judge, wanted, told) for told in apart]))
        if self.task == "ordinal":
            self.cuts = quantile_cuts(apart[best], wanted)
        self.model = clone(candidates[best]).fit(features, wanted)

    def predict(self, features: np.ndarray) -> list[Target]:
        """Return one prediction a row."""
        told: np.ndarray = self.model.predict(features)
        if self.task == "ordinal":
            return cut_scores(told, self.cuts, self.classes)
        if self.task == "classification":
            return [self.classes[place] for place in told]
        values: list[Target] = told.tolist()
        return values

    def _held_out(
        self, model: BaseEstimator, features: np.ndarray, wanted: np.ndarray, units: Sequence[str]
    ) -> np.ndarray:
        """Return predictions (N,) by models that saw no row of the unit."""
        folds = GroupKFold(min(FOLDS, len(set(units))), shuffle=True, random_state=self.seed)
        held_out: np.ndarray = cross_val_predict(model, features, wanted, groups=units, cv=folds)
        return held_out

    def _refuse(
        self, features: np.ndarray, targets: Sequence[Target], units: Sequence[str]
    ) -> None:
        find_score(self.metric).statistics(targets, targets)  # raises where they are no targets
        if not len(features) == len(targets) == len(units):
            raise DataError(
                f"{len(features)} rows, {len(targets)} targets, {len(units)} groups;"
                " expected one a row"
            )
        for what, values in (("target", targets), ("group", units)):
            if len(set(values)) < 2:
                raise DataError(
                    f"every training row has the {what} {values[0]!r}; expected two or more"
                )


def _units(groups: Groups, rows: int) -> list[str]:
    """Return what folds keep together: the group, or the row itself where it has none."""
    names = [None] * rows if groups is None else groups
    return [f"row {n}" if name is None else f"group {name}" for n, name in enumerate(names)]


class Columns:
    """The columns of the training tables as numbers: a code for words, the amount for amounts.

    A column may hold both ("free", "100 ringgit") and then gives two features.
    """

    def __init__(self, tables: Sequence[Cells]):
        cells = {name: [table.get(name) for table in tables] for name in _names(tables)}
        self.amounts = [name for name in cells if np.isfinite([*map(_amount, cells[name])]).any()]
        words = {name: [word for word in map(_word, cells[name]) if word] for name in cells}
        self.codes = {name: _codes(found) for name, found in words.items() if found}

    def features(self, tables: Sequence[Cells]) -> np.ndarray:
        """Return the codes, then the amounts (N, F); NaN where there is none."""
        rows = [[*self._coded(table), *self._counted(table)] for table in tables]
        return np.array(rows, dtype=float).reshape(len(tables), -1)

    def _coded(self, table: Cells) -> Iterator[float]:
        for name, codes in self.codes.items():
            word = _word(table.get(name))
            yield codes.get(word, len(codes)) if word else np.nan

    def _counted(self, table: Cells) -> Iterator[float]:
        return (_amount(table.get(name)) for name in self.amounts)


class Topics:
    """The words of one part as numbers: how long it is, how many words, and what it is about.

    The last are the main directions of TF-IDF (latent semantic analysis, Deerwester et al. 1990);
    all are NaN for a row without words.
    """

    def __init__(self, texts: Sequence[str], seed: int = 0):
        hashed = HashingVectorizer(
            ngram_range=(1, 2),
            token_pattern=r"\w+",  # a digit is a word
            n_features=2**15,
            alternate_sign=False,
            norm=None,
        )
        words = hashed.build_analyzer()
        there = [text for text in texts if text.strip()]
        kept = min(TOPICS, len({tuple(words(text)) for text in there}) - 1)
        self.topics = make_pipeline(
            hashed, TfidfTransformer(sublinear_tf=True), TruncatedSVD(kept, random_state=seed)
        )
        self.width = max(kept, 0)
        if self.width:
            self.topics.fit(there)

    def features(self, texts: Sequence[str]) -> np.ndarray:
        """Return characters, words and directions of each text (N, 2 + topics)."""
        found = np.full((len(texts), 2 + self.width), np.nan)
        there = [place for place, text in enumerate(texts) if text.strip()]
        words = [texts[place] for place in there]
        found[there, :2] = np.array([(len(text), len(text.split())) for text in words]).reshape(
            -1, 2
        )
        if self.width and words:
            found[there, 2:] = self.topics.transform(words)
        return found


def sentence_embedding(model: str | None = None) -> Embed:
    """Return what embeds texts by a sentence encoder, the packaged one unless `model` is given.

    It remembers every text, since most texts of a corrupted row are those of the clean one.
    """
    encoder = SentenceEncoder(model or str(packaged_encoder()))
    known: dict[str, np.ndarray] = {}

    def embed(texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            with ThreadPoolExecutor(1) as thread:  # the caller may be inside an event loop
                vectors = thread.submit(asyncio.run, encoder.embed(new)).result()
            known.update(zip(new, vectors, strict=True))
        return np.stack([known[text] for text in texts])  # (N, D)

    return embed


def _table(record: Record) -> Cells:
    return record.inputs.get("table") or {}


def _names(rows: Iterable[Cells]) -> list[str]:
    """Return the keys of `rows`, in the order in which they appear."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _amount(cell: Cell) -> float:
    """Return what a cell counts, NaN where it counts nothing.

    >>> _amount("3 months"), _amount("4.5 of 5"), _amount("free"), _amount(["a", "b"])
    (3.0, 4.5, nan, 2.0)
    """
    if isinstance(cell, list | tuple):
        return float(len(cell))
    first = "" if isinstance(cell, bool) else str(cell).partition(" ")[0]
    found = number(first.rstrip("%"))
    return np.nan if found is None else float(found)


def _word(cell: Cell) -> str:
    """Return what a cell says, empty where it is missing or counts something."""
    return "" if is_missing(cell) or not np.isnan(_amount(cell)) else str(cell)


def _codes(words: Sequence[str]) -> dict[str, int]:
    """Return {word: number} of the frequent words, the most frequent first."""
    ranked = Counter(words).most_common(MOST_WORDS)
    return {word: code for code, (word, n) in enumerate(ranked) if n >= RARE}
