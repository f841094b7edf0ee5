"""Federated training on digits: clients of one modality, of two, alone and together.

    python -m benchmarks.federated --digits DIR -o runs/federated

DIR holds recordings/ and mnist_images.npz. Seed s tests on one speaker and learns from three others
(see `benchmarks.digits`), of whom each has half of the recordings of six of the ten digits. Apart,
a speaker is two clients, one of sounds and one of pictures; with one complete client the first
speaker's rows stay whole. Each arm of each seed is kept in the output directory, and a second call
goes on. The last of it is the table: per cent of test rows that are right, both modalities and each
alone, with 95 % intervals over rows, and differences that are paired.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.digits import MODEL, splits, table
from benchmarks.kept import kept
from textcentric.metrics.intervals import Estimate, Resampled
from textcentric.rows import Record

if TYPE_CHECKING:
    from textcentric.methods.fusion.federated.clients import Member
    from textcentric.methods.fusion.federated.rounds import Federation

BOTH = ("image", "audio")
DIGITS, STRIDE = 6, 3  # of a speaker, from digit 3 x its place on; three speakers have all ten
ROUNDS, WIDTH = 20, 64
EVERY = 2  # of a speaker's recordings one in two
LOCAL = "local models"
KAPPA = {"method": "ha-fed", "rho": 0.0, "kappa": 1.0, "uncertainty_samples": 5}
COMPLETE: dict[str, dict[str, Any]] = {
    "fedavg, one complete client": {},
    "mfcpl, one complete client": {"method": "mfcpl"},
}
ARMS: dict[str, dict[str, Any]] = {
    LOCAL: {},
    "fedavg": {},
    **COMPLETE,
    "kappa 1": KAPPA,  # of kappa 0, with heads apart, it is FedAvg to the bit
}
PAIRS = (
    ("fedavg", LOCAL),
    ("kappa 1", "fedavg"),
    ("mfcpl, one complete client", "fedavg, one complete client"),
)


def federation(arm: str, seed: int, rows: dict[str, list[Record]], root: Path) -> Federation:
    """Return the federation of an arm; its clients are those of the arm's setting."""
    from textcentric.methods.fusion.federated.config import FederatedConfig
    from textcentric.methods.fusion.federated.training import federated

    values = {**MODEL, "width": WIDTH, "rounds": ROUNDS, "seed": seed, **ARMS[arm]}
    config = FederatedConfig.of(values)
    found = clients(rows["train"], complete=1 if arm in COMPLETE else 0)
    return federated(config, found, root=root)


def clients(rows: Sequence[Record], *, complete: int) -> list[Member]:
    """Return the clients of three speakers, of whom the first `complete` keep their rows whole."""
    from textcentric.methods.fusion.federated.clients import Member

    found = []
    for place, speaker in enumerate(sorted({str(row.group) for row in rows})):
        digits = {f"digit {(STRIDE * place + at) % 10}" for at in range(DIGITS)}
        own = [row for row in rows if row.group == speaker and row.target in digits][::EVERY]
        for names in [BOTH] if place < complete else [(name,) for name in BOTH]:
            name = f"{speaker}/{'+'.join(names)}"
            some = [
                replace(row, id=f"{name}: {row.id}", inputs={n: row.inputs[n] for n in names})
                for row in own
            ]
            found.append(Member(name, names, some))
    return found


def result(arm: str, seed: int, folder: Path) -> dict[str, Any]:
    """Return which test rows an arm has right, trained now where it is not in `folder`."""
    name = f"{arm.replace(',', '').replace(' ', '-')}-{seed}"
    path = folder / "results" / f"{name}.json"
    return kept(path, lambda: _trained(arm, seed, folder, folder / "models" / name))


def _trained(arm: str, seed: int, folder: Path, model: Path) -> dict[str, Any]:
    from textcentric.methods.fusion.federated.rounds import run

    data = folder / "data"
    rows = splits(data / f"digits-{seed}.csv")
    made, began = federation(arm, seed, rows, data), time.monotonic()
    if arm == LOCAL:
        chances = local(made, rows["test"])
    else:
        run(made, model, quiet=True)
        chances = {n: [one] for n, one in log_chances(made, rows["test"]).items()}
    found = {"arm": arm, "seed": seed, "seconds": time.monotonic() - began}
    return found | right(chances, made.method.labels(rows["test"]).numpy())


def local(made: Federation, rows: Sequence[Record]) -> dict[str, list[np.ndarray]]:
    """Return the log-probabilities (N, C) of each client's own model, by modality.

    A client trains for all rounds without ever hearing of others, except of the moments.
    """
    from textcentric.methods.fusion.federated.rounds import one_round
    from textcentric.methods.fusion.federated.server import next_state

    found: dict[str, list[np.ndarray]] = {name: [] for name in BOTH}
    for client in made.clients:
        state = made.begin()
        for number in range(1, made.config.rounds + 1):
            state = next_state(state, one_round([client], state, number).updates, made.config)
        made.put(state)
        chances = log_chances(made, rows)
        for name in client.modalities:
            found[name].append(chances[name])
    return found


def log_chances(made: Federation, rows: Sequence[Record]) -> dict[str, np.ndarray]:
    """Return the log-probabilities (N, C) of rows by modality."""
    made.method.model.eval()
    scores = made.method.cached(rows).scores.log_softmax(dim=2)  # (N, M, C)
    return {name: scores[:, at].numpy() for at, name in enumerate(made.method.names)}


def right(chances: dict[str, list[np.ndarray]], labels: np.ndarray) -> dict[str, Any]:
    """Return which rows the sum of log-probabilities has right, of both and of each modality.

    `each` is the mean accuracy of the models of a modality, one by one.
    """
    summed = {name: np.sum(some, axis=0) for name, some in chances.items()}
    summed["both"] = np.sum([summed[name] for name in BOTH], axis=0)
    each = {
        name: float(np.mean([(one.argmax(axis=1) == labels).mean() for one in some]))
        for name, some in chances.items()
    }
    hits = {name: (one.argmax(axis=1) == labels).tolist() for name, one in summed.items()}
    return {"right": hits, "each": each}


def shown(estimate: Estimate) -> str:
    low, high = estimate.interval
    return f"{100 * estimate.value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def print_table(found: dict[str, list[dict[str, Any]]]) -> None:
    """Print accuracies of all arms, the rows of all seeds together, and differences of pairs."""
    pooled = {
        arm: {n: np.concatenate([np.array(run["right"][n], float) for run in runs]) for n in SHOWN}
        for arm, runs in found.items()
    }
    drawn = Resampled(len(next(iter(pooled.values()))["both"]))
    print(
        "\n| | both | image | audio | both, by seed | seconds a seed |\n|---|---|---|---|---|---|"
    )
    for arm, of in pooled.items():
        cells = [shown(drawn.mean(of[name])) for name in SHOWN]
        seeds = ", ".join(f"{100 * np.mean(run['right']['both']):.1f}" for run in found[arm])
        seconds = np.mean([run["seconds"] for run in found[arm]])
        print(f"| {arm} | {' | '.join(cells)} | {seeds} | {seconds:.0f} |")
    each = [f"{n} {100 * np.mean([run['each'][n] for run in found[LOCAL]]):.1f}" for n in BOTH]
    print(f"\na local model alone, mean of the clients: {', '.join(each)}\n")
    for arm, rival in PAIRS:
        cells = [f"{n} {shown(drawn.mean(pooled[arm][n] - pooled[rival][n]))}" for n in SHOWN]
        print(f"- {arm} over {rival}: {', '.join(cells)}")


SHOWN = ("both", *BOTH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=Path, metavar="DIR", help="where the recordings are")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    flags = parser.parse_args()
    if flags.digits:
        for seed in range(flags.seeds):
            table(flags.digits, flags.output, seed)
    found: dict[str, list[dict[str, Any]]] = {arm: [] for arm in ARMS}
    for arm, runs in found.items():
        for seed in range(flags.seeds):
            runs.append(result(arm, seed, flags.output))
            told = runs[-1]
            per_cent = {n: f"{100 * np.mean(told['right'][n]):.1f}" for n in SHOWN}
            print(f"{arm:<30} seed {seed} {per_cent} {told['seconds']:.0f} s", flush=True)
    print_table(found)


if __name__ == "__main__":
    main()
