"""What of a configuration makes a run this run, and what may change without making another."""

from __future__ import annotations

from collections.abc import Mapping

from textcentric.values import Json

# What may change without making it another run: where it goes, when it stops, how it talks.
# What chooses prompts is among them because the digests of the prompts already decide.
RUNTIME = frozenset(
    "output_dir resume reuse base_url max_failed accept max_tokens_total max_minutes format"
    " prompt_dir price_input price_output max_cost judge_base_url all_prompts".split()
)
CALL = frozenset({"output_dir", "resume"})  # of one call, so never saved
# Choices that came later: where none was made, a run is saved as before there were any.
LATER = frozenset(
    "candidates judge_model judge_engine judge_base_url price_input price_output max_cost"
    " per_class balance languages all_prompts strict likelihoods expert_words"
    " entailment_model".split()
)
ADDED = frozenset(
    "data prompt_digests facts bank weights engine_fingerprint judge_fingerprint".split()
)  # by a run to its run.yaml


def identity_of(saved: Mapping[str, Json]) -> dict[str, Json]:
    """Return the part of a `run.yaml` that makes the run this run."""
    return {name: value for name, value in saved.items() if name not in RUNTIME}
