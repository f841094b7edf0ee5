"""Does the shortcut-aware objective help? On pairs whose shortcut is known, and in controls.

    python -m benchmarks.shortcut -o runs/shortcut         # one environment, one seed: 5 minutes
    python -m benchmarks.shortcut -o runs/shortcut --full  # three environments, five seeds, sweeps

A small transformer first learns from 4,000 neutral pairs (no cue tells anything), as the paper's
models start from one that is pretrained; all branches start from it. Then it is trained on 4,000
pairs of an environment whose cue goes with the chosen response, by Bradley-Terry (`bt`), by the
shortcut-aware objective (`sfc`), and by the same with every pair given another one's weight
(`placebo`). All are tested in all three environments. Each trial is kept in the output directory,
and a second call goes on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks.kept import kept
from benchmarks.scenes import CUES, Environment, candidates, scene_pairs, words
from textcentric.cli.terminal import columns
from textcentric.folders import fingerprint

PAIRS, TEST, EPOCHS, BATCH = 4000, 1500, 10, 64
START_SEED = 100_000  # of the neutral pairs
TEST_SEED = 200_000
LEARNING_RATE = 2e-3
METHODS: dict[str, dict[str, Any]] = {
    "bt": {},
    "sfc": {"reward_objective": "sfc", "save_proxy": True},
    "placebo": {"reward_objective": "sfc", "sfc_shuffle": True},
}
BARS = {"gain": 0.08, "placebo": 0.03, "own": 0.03, "no cue": 0.015}  # shares of pairs
PROMPTS, SIZES = 100, (1, 2, 4, 8, 16, 20)  # of Best-of-N
STRENGTHS = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
NOISES = (0.0, 0.1, 0.2)
ERRORS = (0.0, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Trial:
    """One training: by which method, in which environment, from which start."""

    method: str
    environment: Environment
    seed: int = 0
    scratch: bool = False

    @property
    def name(self) -> str:
        """Return a name that tells it from every other trial."""
        e = self.environment
        start = "-scratch" if self.scratch else ""
        shares = f"{e.strength:g}-{e.elsewhere:g}-{e.noise:g}-{e.error:g}"
        return f"{self.method}-{e.cue}-{shares}-seed{self.seed}{start}"


def quick() -> list[Trial]:
    """Return the trials of the short run: one environment, one seed, a strong cue and none."""
    return [
        Trial(method, Environment("polite", strength))
        for strength in (0.9, 0.5)
        for method in METHODS
    ]


def full() -> list[Trial]:
    """Return all trials: environments x seeds, then the sweeps of strength, noise and error."""
    grid = [Trial(m, Environment(cue), seed) for seed in range(5) for cue in CUES for m in METHODS]
    hostile = [Trial(m, Environment(cue, elsewhere=0.3)) for cue in CUES for m in METHODS]
    sweeps = [Environment("polite", strength) for strength in STRENGTHS]
    sweeps += [Environment("polite", noise=noise) for noise in NOISES]
    sweeps += [Environment("polite", error=error) for error in ERRORS]
    swept = [Trial(method, one) for one in sweeps for method in METHODS]
    scratch = [Trial(method, Environment("polite"), scratch=True) for method in METHODS]
    return list(dict.fromkeys([*quick(), *grid, *hostile, *swept, *scratch]))


class Bench:
    """The trials in a folder, each made once; `sizes` shrink them for tests."""

    def __init__(
        self,
        folder: Path,
        *,
        pairs: int = PAIRS,
        test: int = TEST,
        epochs: int = EPOCHS,
        width: int = 64,
    ):
        self.folder = folder
        self.pairs, self.test, self.epochs, self.width = pairs, test, epochs, width

    def result(self, trial: Trial) -> dict[str, Any]:
        """Return what came of a trial, made now where it is not there."""
        sizes = [self.pairs, self.test, self.epochs, self.width, LEARNING_RATE, BATCH]
        known = fingerprint({"trial": asdict(trial), "sizes": sizes})
        path = self.folder / "trials" / f"{trial.name}-{known}.json"
        return kept(path, lambda: {"trial": asdict(trial), **self._made(trial)})

    def _made(self, trial: Trial) -> dict[str, Any]:
        from textcentric.methods.reward import Reward, RewardConfig

        start = self._untrained() if trial.scratch else self.start()
        values = {"model_name_or_path": str(start), "max_length": 64, "seed": trial.seed}
        pairs = scene_pairs(trial.environment, self.pairs, trial.seed)
        method = Reward(RewardConfig.of(values | METHODS[trial.method]), pairs)
        seconds = self._train(method, pairs, trial.seed)
        return {"seconds": seconds, **self._tested(method, trial.environment)}

    def _tested(self, method: Any, own: Environment) -> dict[str, Any]:
        """Return the model's accuracy, and its proxy's, on every environment."""
        from textcentric.evaluation.rewards.baselines import (
            share_right,
            shortcut_failure,
            swapped,
        )
        from textcentric.methods.reward.worth import length_only

        found: dict[str, Any] = {"accuracy": {}, "proxy_accuracy": {}, "by_subset": {}}
        found["best_of"] = self._best_of(method, own)
        for number, cue in enumerate(CUES):
            there = Environment(cue, own.strength, own.elsewhere, own.noise, own.error)
            pairs = scene_pairs(there, self.test, TEST_SEED + number)
            main, proxy = method.differences(pairs)
            found["accuracy"][cue] = share_right(main)
            if proxy is not None:
                found["proxy_accuracy"][cue] = share_right(proxy)
            if cue == own.cue:
                found["length_only"] = share_right(length_only(pairs))
                by = {s: main[[p.subset == s for p in pairs]] for s in ("aligned", "conflict")}
                found["by_subset"] = {s: share_right(d) if len(d) else None for s, d in by.items()}
                found["swapped"] = share_right(method.differences(swapped(pairs))[0])
                if proxy is not None:
                    told = shortcut_failure(main, proxy)
                    found["failure"] = asdict(told) | {"degradation": told.degradation}
        return found

    def _best_of(self, method: Any, own: Environment) -> dict[str, float]:
        """Return how often the pick of n candidates, value x cue, names the true value."""
        from textcentric.evaluation.rewards.best_of import best_of
        from textcentric.methods.reward import Item

        told: list[list[float]] = []
        for number in range(PROMPTS):
            both = list(candidates(own, f"{TEST_SEED}-{number}"))
            asked = [Item(one.descriptions, one.prompt, one.chosen) for one, _ in both]
            scores, truths = method.score(asked), [float(right) for _, right in both]
            told.append([best_of(scores, truths, size) for size in SIZES])
        return {str(n): fmean(of) for n, of in zip(SIZES, zip(*told, strict=True), strict=True)}

    def _train(self, method: Any, pairs: Sequence[Any], seed: int) -> float:
        """Train in a folder that is thrown away; return the seconds that training took."""
        from textcentric.training.config import TrainConfig
        from textcentric.training.loop import train

        with tempfile.TemporaryDirectory(prefix="textcentric-shortcut-") as name:
            loop = TrainConfig(
                output_dir=Path(name) / "model",
                seed=seed,
                learning_rate=LEARNING_RATE,
                weight_decay=0.05,
                num_train_epochs=self.epochs,
                per_device_train_batch_size=BATCH,
                eval_strategy="no",
                save_strategy="no",
                use_cpu=True,
            )
            return float(train(method, loop, pairs, quiet=True).train_seconds)

    def start(self) -> Path:
        """Return the model that has learnt from neutral pairs, made where it is not there."""
        from textcentric.methods.reward import Reward, RewardConfig

        sizes = fingerprint([self.pairs, self.epochs, self.width, LEARNING_RATE])
        folder = self.folder / "models" / f"start-{sizes}"
        if not (folder / "reward.json").is_file():
            pairs = scene_pairs(Environment(strength=0.5), self.pairs, START_SEED)
            values = {"model_name_or_path": str(self._untrained()), "max_length": 64}
            method = Reward(RewardConfig.of(values), pairs)
            self._train(method, pairs, START_SEED)
            method.save(folder)
        return folder

    def _untrained(self) -> Path:
        """Return a small BERT with weights drawn at random and a tokenizer of whole words."""
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers, processors
        from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

        folder = self.folder / "models" / f"untrained-{self.width}"
        if (folder / "config.json").is_file():
            return folder
        special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
        special |= {"sep_token": "[SEP]"}
        names = [*special.values(), ":", ".", "?", "-", *(w for w in words() if w.isalpha())]
        vocabulary = {
            word: at for at, word in enumerate(dict.fromkeys([*names, "described", "not"]))
        }
        fast = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
        fast.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        fast.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=fast, model_max_length=64, **special)
        config = BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=self.width,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=2 * self.width,
            max_position_embeddings=64,
            initializer_range=self.width**-0.5,  # at BERT's 0.02 so narrow a model attends nowhere
            pad_token_id=0,
        )
        config.num_labels = 1
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = BertForSequenceClassification(config)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder


def made(bench: Bench, trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Return what came of the trials, made on all cores: so small a model fills one at best."""
    results = []
    bench.start()
    with ProcessPoolExecutor(initializer=_on_one_core, mp_context=get_context("spawn")) as pool:
        for trial, found in zip(trials, pool.map(bench.result, trials), strict=True):
            told = ", ".join(f"{cue} {value:.3f}" for cue, value in found["accuracy"].items())
            print(f"{trial.name}: {told}", file=sys.stderr, flush=True)
            results.append(found)
    return results


def _on_one_core() -> None:
    import torch

    torch.set_num_threads(1)


def apart(found: Sequence[Mapping[str, Any]], method: str) -> Iterator[tuple[float, float]]:
    """Yield the accuracy in its own environment and the mean in the others, trial by trial."""
    for one in found:
        if one["trial"]["method"] == method:
            own = one["trial"]["environment"]["cue"]
            others = [value for cue, value in one["accuracy"].items() if cue != own]
            yield one["accuracy"][own], fmean(others)


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as lines of text: one a setting and method, environments pooled."""
    by_setting: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in results:
        by_setting.setdefault((_setting(one["trial"]), one["trial"]["method"]), []).append(one)
    rows = [[*names, *_figures(found)] for names, found in by_setting.items()]
    heads = ["setting", "method", "own", "others", "(sd)", "cue wrong", "swapped", "proxy"]
    return columns(rows, [*heads, "failure", f"best of {SIZES[-1]}"])


def _figures(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the means of trials of one setting and method, "-" where nothing has one."""
    sides = list(zip(*apart(found, found[0]["trial"]["method"]), strict=True))
    failures = [one["failure"]["degradation"] if "failure" in one else None for one in found]
    proxies = [one["proxy_accuracy"].get(one["trial"]["environment"]["cue"]) for one in found]
    return [
        _mean(sides[0]),
        _mean(sides[1]),
        f"{stdev(sides[1]):.3f}" if len(found) > 1 else "-",
        _mean([one["by_subset"]["conflict"] for one in found]),
        _mean([one["swapped"] for one in found]),
        _mean(proxies),
        _mean(failures),
        _mean([one["best_of"][str(SIZES[-1])] for one in found]),
    ]


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{fmean(known):.3f}" if known else "-"


def _setting(trial: Mapping[str, Any]) -> str:
    e = trial["environment"]
    start = ", from scratch" if trial["scratch"] else ""
    said = [f"cue {e['strength']:g}"]
    said += [f"elsewhere {e['elsewhere']:g}"] if e["elsewhere"] != 0.5 else []
    said += [f"noise {e['noise']:g}"] if e["noise"] != 0.1 else []
    said += [f"wrong words {e['error']:g}"] if e["error"] else []
    return ", ".join(said) + start


def verdict(results: Sequence[Mapping[str, Any]]) -> tuple[bool, str]:
    """Say whether the bars hold: what `sfc` wins and costs at a cue of 0.9, and what at none."""
    own, others = _apart_by_method(results, "cue 0.9")
    _, without = _apart_by_method(results, "cue 0.5")
    found = {
        "gain": others["sfc"] - others["bt"],
        "placebo": abs(others["placebo"] - others["bt"]),
        "own": own["bt"] - own["sfc"],
        "no cue": abs(without["sfc"] - without["bt"]),
    }
    holds = found["gain"] >= BARS["gain"] and all(
        found[name] <= BARS[name] for name in ("placebo", "own", "no cue")
    )
    said = {name: f"{100 * value:.1f}" for name, value in found.items()}
    bar = {name: f"(bar {100 * value:g})" for name, value in BARS.items()}
    return holds, (
        f"{'Holds' if holds else 'Does not hold'}: in the other environments sfc - bt ="
        f" {100 * found['gain']:+.1f} points {bar['gain']}, the placebo is {said['placebo']} from"
        f" bt {bar['placebo']}; the own environment costs {said['own']} {bar['own']}; where no cue"
        f" tells anything sfc is {said['no cue']} from bt {bar['no cue']}."
    )


def _apart_by_method(
    results: Sequence[Mapping[str, Any]], setting: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the mean accuracy of each method in its own environment, and in the others."""
    chosen = [one for one in results if _setting(one["trial"]) == setting]
    sides = {m: list(zip(*apart(chosen, m), strict=True)) for m in METHODS}
    return {m: fmean(own) for m, (own, _) in sides.items()}, {
        m: fmean(others) for m, (_, others) in sides.items()
    }


def main() -> int:
    """Make the trials, print the table and the verdict; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output-dir", type=Path, default=Path("runs/shortcut"))
    parser.add_argument("--full", action="store_true", help="all environments, seeds and sweeps")
    flags = parser.parse_args()
    results = made(Bench(flags.output_dir), full() if flags.full else quick())
    holds, said = verdict(results)
    print(f"{table(results)}\n{said}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
