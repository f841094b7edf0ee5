"""`compare`: the arms of the protocol on the same rows, under the same damage, with seeds.

An LLM is asked once for everything that any arm reads; each arm and seed is a trial of its own
that is never repeated once it is done (`arms`); the findings follow from their predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from textcentric.augmentation.config import AugmentConfig
from textcentric.augmentation.opening import load_rows
from textcentric.augmentation.plan import Plan, make_plan
from textcentric.augmentation.words import Watch, augmented, expert_words
from textcentric.corruption.grid import (
    CLEAN,
    MARK,
    Cell,
    CorruptedRows,
    idle_cells,
    make_grid,
    side_by_side,
    words_by_cell,
)
from textcentric.data.balance import unread_notes, unread_of
from textcentric.data.memory import InHand
from textcentric.data.rows import Rows, RowsLike
from textcentric.engines.protocol import Engine
from textcentric.errors import ConfigError, DataError, Say
from textcentric.evaluation.comparison.arms import Trial, Tried, arm_examples, attempt, read_trial
from textcentric.evaluation.comparison.config import ARMS, Arm, CompareConfig, main_arm
from textcentric.evaluation.comparison.folds import inside, outside
from textcentric.evaluation.findings import OTHERS, ByCell, Findings
from textcentric.evaluation.ranks import ranked
from textcentric.evaluation.results_file import (
    WordsByCell,
    changed_rows,
)
from textcentric.folders import fingerprint
from textcentric.metrics.scores import constant_prediction, fitting_metric, unseen_labels
from textcentric.prompts.library import PromptLibrary
from textcentric.reading.selection import select
from textcentric.rows import MODALITIES, Example, Record, Target
from textcentric.runs.examples import labelled
from textcentric.values import Json

NOT_A_TRIALS = {"arms", "against", "seeds", "output_dir", "metric", "folds", "fold"}
SETTINGS, WORDS, CONSTANT = "compare.yaml", "words", "constant"


@dataclass
class Comparison:
    """A comparison: what its configuration means, made when it is first asked for.

    `engine` and `rows` stand in for what the configuration names; `watch` shows LLM runs; `words`
    is where experts' words are remembered, if not in the comparison's own directory.
    """

    config: CompareConfig
    engine: Engine | None = None
    say: Say = lambda line: None
    watch: Watch | None = None
    words: Path | None = None
    rows: RowsLike | None = None

    @property
    def folder(self) -> Path:
        """Return the directory of this comparison."""
        return self.config.output_dir

    @property
    def arms(self) -> dict[str, Arm]:
        """Return the arms that are compared."""
        return {name: ARMS[name] for name in self.config.arms}

    @cached_property
    def train_rows(self) -> InHand:
        """Return the training rows, then the held-out ones."""
        config = self.config
        if config.folds is not None:
            rows = self._rows(None, None)
            return self._labelled(rows, outside(rows, config.folds, config.fold), "training")
        rows = self._rows("train", config.train_rows)
        return self._labelled(rows, [*rows, *self._held_out()], "training")

    @cached_property
    def test_rows(self) -> InHand:
        """Return the test rows."""
        config = self.config
        if config.folds is not None:
            rows = self._rows(None, None)
            return self._labelled(rows, inside(rows, config.folds, config.fold), "test")
        rows = self._rows("test", config.test_rows)
        return self._labelled(rows, list(rows), "test")

    @cached_property
    def by_fold(self) -> list[Comparison]:
        """Return the comparison of every fold, this one alone where it has none or is of one."""
        config = self.config
        if config.folds is None or config.fold is not None:
            return [self]
        names = {fold: self.folder / f"fold-{fold}" for fold in range(config.folds)}
        return [
            replace(
                self,
                config=config.model_copy(update={"fold": fold, "output_dir": folder}),
                words=self.folder / WORDS,
            )
            for fold, folder in names.items()
        ]

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        """Return the modalities that the experts found words for."""
        present = {name for example in self.plain for name in example.parts}
        return tuple(name for name in MODALITIES if name in present)

    def cells(self, llm: bool) -> tuple[Cell, ...]:
        """Return the grid: of the arms that read an LLM's words at test time, or of the others."""
        config = self.config
        corruptions = config.llm_corruptions if llm else config.corruptions
        levels = config.llm_levels
        if not llm:  # whichever arms there are: a kept trial has the cells of any later one
            levels = tuple(sorted({*config.levels, *config.llm_levels}))
        most = config.llm_missing if llm else config.most_missing
        modalities = () if most == 0 else self.modalities
        return make_grid(corruptions, levels, modalities, most)

    def damaged(self, llm: bool) -> CorruptedRows:
        """Return the test rows in every cell."""
        return CorruptedRows(self.test_rows, self.cells(llm), self.folder / "damaged")

    @cached_property
    def plain(self) -> list[Example]:
        """Return training and held-out rows in the experts' words."""
        return labelled(self._expert_words(self.train_rows))

    def perturbed(self, kind: str) -> list[Example]:
        """Return training and held-out rows with what the LLM made of them.

        `kind` "random" or "instruction" draws from that part of the bank of instructions alone.
        """
        if kind in self._perturbed:
            return self._perturbed[kind]
        folder = self.folder / ("augmented" if not kind else f"augmented-{kind}")
        bank = {"prompts": ",".join(["bank", *self._derive()])} if kind else {}
        config = self._augment(output_dir=str(folder), **bank)
        library = self._bank(kind) if kind else None
        written = self._llm_run(self.train_rows, config, library)
        if self.config.only:
            selection = select(folder, self.config.only)
            self.say(selection.words)
            written = selection.examples
        self._perturbed[kind] = labelled(written)
        return self._perturbed[kind]

    @cached_property
    def _perturbed(self) -> dict[str, list[Example]]:
        return {}

    @cached_property
    def test_words(self) -> WordsByCell:
        """Return the damaged test rows in the experts' words, cells that change none left out."""
        words = by_cell(self._expert_words(self.damaged(llm=False)))
        for cell in (idle := idle_cells(words)):
            self.say(f"{cell} changes no word of any test row: left out")
        return {cell: by_row for cell, by_row in words.items() if cell not in idle}

    @cached_property
    def derived_words(self) -> WordsByCell:
        """Return the damaged test rows with what the LLM derives from them, asked again."""
        config = self._augment(
            output_dir=str(self.folder / "test"),
            prompts=",".join(self._derive()),
            samples=1,
            sentences=None,
        )
        words = by_cell(self._llm_run(self.damaged(llm=True), config))
        return {cell: by_row for cell, by_row in words.items() if cell in self.test_words}

    def check(self) -> None:
        """Raise ConfigError for an arm that would not be what its name says, or a wrong metric."""
        if self.config.metric is not None:
            fitting_metric(self.config.metric, self.task)
        offered = len(self._plan.variants) * self._plan.samples
        for name, arm in self.arms.items():
            if arm.derived and not self._derive():
                raise ConfigError(
                    f"{name} reads what an LLM derives from a row, and nothing is: leave summarize"
                    " on, or add a prompt that aligns, summarizes or reasons to augment.prompts"
                )
            wanted = (arm.changes or {}).get("variants", 0)
            if wanted > offered:
                raise ConfigError(
                    f"{name} is trained on {wanted} variants of a row, the prompts write {offered}:"
                    f" set augment.samples to {-(-wanted // max(1, offered // self._plan.samples))}"
                    " or more, or leave the arm out"
                )

    def trial(self, name: str, seed: int) -> Trial:
        """Return one arm and seed, its training rows and test words at hand."""
        arm, config = self.arms[name], self.config
        examples = self.perturbed(arm.kind) if arm.llm else self.plain
        read = arm_examples(arm, examples)
        return Trial(
            name=name,
            arm=arm,
            seed=seed,
            task=self.task,
            examples=[example for example in read if example.split != "validation"],
            held_out=[example for example in read if example.split == "validation"],
            raw={record.id: record for record in self.train_rows},
            damaged=self.damaged(llm=False),
            words=self.derived_words if arm.derived else self.test_words,
            orders=config.orders,
            downstream={**config.downstream, "target_transform": "none"},
            training=config.training,
        )

    @cached_property
    def task(self) -> str:
        """Return the task that the schema declares or the targets show; no file is looked at."""
        from textcentric.methods.downstream import DownstreamConfig
        from textcentric.methods.downstream.decision import learn_decision

        config = DownstreamConfig.of({**self.config.downstream, "target_transform": "none"})
        bare = labelled([Example(row.id, {}, row.target) for row in self.train_rows])
        return learn_decision(config, bare, self.train_rows.schema.task).task

    def tried(self) -> Iterator[tuple[str, int, Tried]]:
        """Make every trial that is not made yet, the cheap arms first, and yield them all."""
        arms = sorted(self.arms, key=lambda name: _cost(self.arms[name]))
        for number, seed in enumerate(self.config.seeds):
            for name in arms:
                if number == 0 or name != CONSTANT:  # which has no seed
                    folder = self.folder / "arms" / name / f"seed-{seed}"
                    yield name, seed, self._attempt(name, seed, folder)

    def _attempt(self, name: str, seed: int, folder: Path) -> Tried:
        identity = self.identity(name)
        kept = read_trial(folder, identity)
        if kept is not None:
            return kept
        self.say(f"{name}, seed {seed}")
        tried = attempt(self.trial(name, seed), folder, identity)
        self.say(f"{name}, seed {seed}: {tried.train_seconds:.0f} s of training")
        return tried

    def identity(self, name: str) -> dict[str, Json]:
        """Return what a kept trial of arm `name` must agree with."""
        apart = NOT_A_TRIALS if self.config.only else NOT_A_TRIALS | {"only"}
        config = self.config.model_dump(mode="json", exclude=apart)
        rows = [self.train_rows.digest, self.test_rows.digest]
        changes = {k: list(v) if isinstance(v, tuple) else v for k, v in _changes(self.arms[name])}
        return {"arm": name, "changes": changes, "rows": rows, "settings": fingerprint(config)}

    def llm_runs(self) -> dict[str, list[Path]]:
        """Return the run directories of what an LLM wrote for each arm; arms may share them."""
        runs: dict[str, list[Path]] = {}
        for name, arm in self.arms.items():
            read = ["augmented" if not arm.kind else f"augmented-{arm.kind}"] if arm.llm else []
            read += ["test"] if arm.derived else []
            runs[name] = [part.folder / run for part in self.by_fold for run in read]
        return runs

    def findings(self, trials: Sequence[tuple[str, int, Tried]]) -> Findings:
        """Return the findings of all trials."""
        predicted: dict[str, dict[int, ByCell]] = {}
        for name, seed, tried in trials:
            predicted.setdefault(name, {})[seed] = tried.predicted
        metric = fitting_metric(self.config.metric, self.task)
        return Findings(
            metric=metric,
            targets={record.id: record.target for record in self.test_rows},
            groups={record.id: record.group for record in self.test_rows},
            cells=[
                cell
                for cell in self.cells(llm=False)
                if any(cell.name in part.test_words for part in self.by_fold)
            ],
            predicted=predicted,
            constants={
                row: constant for part in self.by_fold for row, constant in part.constants(metric)
            },
            others=OTHERS[metric],
        )

    def constants(self, metric: str) -> Iterator[tuple[str, Target]]:
        """Yield the ids of the test rows, each with the best constant of the rows learnt from."""
        learnt = [example.target for example in self.plain if example.split != "validation"]
        constant = constant_prediction(learnt, metric)
        for record in self.test_rows:
            yield record.id, constant

    def changed(self, findings: Findings) -> list[dict[str, Json]]:
        """Return the rows that changed most, of the arms that the verdict is about."""
        found = []
        against = self.config.against
        main = main_arm(self.config.arms, against)
        of = (main, against) if main else self.config.arms
        for name in dict.fromkeys(of):
            arm = self.arms.get(name)
            if arm is None or arm.baseline:
                continue
            words = side_by_side(
                part.derived_words if arm.derived else part.test_words for part in self.by_fold
            )
            for corruption in self.config.llm_corruptions:
                levels = findings.levels(corruption, name)
                if not levels:
                    continue
                level = levels[len(levels) // 2]
                found += changed_rows(findings, name, Cell(corruption, level), words)
        return found

    def notes(self) -> list[str]:
        """Return what to know of the scores: files not read, labels that no training row has."""
        if self.task == "regression":
            return self._unread
        learnt = {example.target for example in self.plain if example.split != "validation"}
        targets = {row.id: row.target for row in self.test_rows}
        return [*self._unread, *filter(None, [unseen_labels(targets, learnt)])]

    @cached_property
    def _unread(self) -> list[str]:
        return []

    def row_counts(self) -> dict[str, int]:
        """Return how many rows were trained on, held out and tested on."""
        splits = [record.split for record in self.train_rows]
        held = splits.count("validation")
        return {"train": len(splits) - held, "held_out": held, "test": self.test_rows.count()}

    def _held_out(self) -> Iterable[Record]:
        most = self.config.held_out_rows
        try:
            return [] if most == 0 else self._rows("validation", most)
        except ConfigError:  # training rows were read, so what lacks is that split
            if most is not None:
                raise
            self.say("no row is of split validation, so none is held out")
            return []

    def _rows(self, split: str | None, limit: int | None) -> Rows:
        return load_rows(self._augment(split=split, limit=limit), self.rows)

    def _labelled(self, rows: Rows, records: Sequence[Record], what: str) -> InHand:
        usable = [record for record in map(self._scaled, records) if record.target is not None]
        if not usable:
            raise DataError(f"no {what} row of {rows.name} has a target; a comparison needs labels")
        return ranked(rows, usable)

    def _augment(self, **values: object) -> AugmentConfig:
        return self.config.augment_config(**values)

    def _derive(self) -> list[str]:
        """Return the prompts whose text is part of a clean row, of training and test rows alike."""
        return [prompt.id for prompt in self._plan.derive]

    @cached_property
    def _plan(self) -> Plan:
        config = self._augment()
        return make_plan(config, PromptLibrary.load(*filter(None, [config.prompt_dir])))

    def _bank(self, kind: str) -> PromptLibrary:
        library = PromptLibrary.load(*filter(None, [self._augment().prompt_dir]))
        return replace(library, bank=tuple(e for e in library.bank if e.kind == kind))

    def _expert_words(self, rows: Rows) -> list[Example]:
        found = expert_words(rows, self._augment(), self.words or self.folder / WORDS)
        damaged = isinstance(rows, CorruptedRows)
        clean = [e for e in found if not damaged or e.id.endswith(f"{MARK}{CLEAN.name}")]
        for note in unread_notes(unread_of(clean)):
            self.say(note)
            self._unread.append(note)
        return found

    def _llm_run(
        self, rows: Rows, config: AugmentConfig, library: PromptLibrary | None = None
    ) -> list[Example]:
        return augmented(
            rows, config, engine=self.engine, library=library, watch=self.watch, say=self.say
        )

    def _scaled(self, record: Record) -> Record:
        """Return the row with its target on the scale on which it is learnt and scored."""
        from textcentric.methods.downstream.decision import scaled

        return scaled(self.config.downstream.get("target_transform", "none"), record)


def by_cell(examples: Sequence[Example]) -> WordsByCell:
    """Return {cell name: {row id: parts}} of damaged rows; those without a word are left out.

    Raises DataError where a row still has words for a modality that its cell removed.
    """
    return words_by_cell((example.id, example.parts) for example in examples if example.parts)


def _changes(arm: Arm) -> list[tuple[str, Any]]:
    return sorted((arm.changes or {}).items())


def _cost(arm: Arm) -> tuple[bool, bool, bool]:
    return not arm.baseline, arm.llm, arm.variants
