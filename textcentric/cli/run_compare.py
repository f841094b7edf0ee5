"""What `textcentric compare` does: say the plan, compare, say the verdict."""

from __future__ import annotations

import json
from functools import partial

from textcentric.cli.compare_plan import as_text, planned
from textcentric.cli.launched import alone
from textcentric.cli.progress import Progress
from textcentric.cli.run_evaluate import tell_results
from textcentric.cli.terminal import plain_warnings, say, silence, terminable
from textcentric.compare import Comparison, compare
from textcentric.comparison.config import CompareConfig
from textcentric.engines.protocol import Engine


def compare_command(
    config: CompareConfig,
    *,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    engine: Engine | None = None,
) -> int:
    """Compare, or only show the plan; return the exit code. `engine` stands in for the LLM's."""
    if not alone():  # one process does it, whoever launched more
        return 0
    silence(verbose)
    tell = (lambda line: None) if quiet else say
    try:
        with plain_warnings(tell), terminable():
            plan = planned(config)
            if dry_run:
                print(json.dumps(plan, ensure_ascii=False) if as_json else as_text(plan))
                return 0
            tell(as_text(plan))
            results = compare(Comparison(config, engine, tell, partial(Progress, quiet=quiet)))
    except KeyboardInterrupt:
        say(f"textcentric: interrupted; the same command goes on in {config.output_dir}")
        return 130
    tell_results(results, config.output_dir, as_json=as_json)
    return 0
