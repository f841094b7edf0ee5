"""Where the driver's time goes: its own functions, timed where they stand, each on its own.

Every function named below is wrapped for one run; a component's time excludes that of the
components it calls. Wrapping costs about a microsecond a call, so the breakdown is a run apart.
"""

from __future__ import annotations

import inspect
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

COMPONENTS = {
    "load": ["augmentation.run:load_rows"],
    "read rows": ["data.records:RecordReader.record"],
    "experts": ["experts.table:TableExpert.describe", "experts.text:TextExpert.describe"],
    "aim": ["augmentation.row:aim"],
    "render": ["augmentation.requests:RequestBuilder.build"],
    "key": ["engines.protocol:Request._identity"],
    "scripted engine": ["engines.scripted:ScriptedEngine.generate"],
    "journal": [
        f"runs.journal:Journal.{name}" for name in "get put commit finished finish_shard".split()
    ],
    "checks": [
        f"augmentation.row:{name}" for name in "draft_pieces check_words drop_repeats".split()
    ],
    "verdicts": [f"augmentation.truth:{name}" for name in "judge_by _compared settle".split()],
    "rows": ["augmentation.row:assemble", "augmentation.row:RowFlow._row_output"],
    "parquet": ["runs.shards:ShardWriter.add_row", "runs.shards:ShardWriter.write"],
    "progress": [
        "runs.counters:Metrics.append",
        "runs.counters:Metrics.enter",
        "runs.counters:Metrics.leave",
    ],
    "manifest": ["augmentation.driver:Driver._write_manifest"],
}


class Stopwatch:
    """CPU seconds by component, each without the components inside it."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def timed(self, component: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function`, its time counted under `component`."""

        def run(*args: Any, **kwargs: Any) -> Any:
            with self._counting(component):
                return function(*args, **kwargs)

        async def run_later(*args: Any, **kwargs: Any) -> Any:
            with self._counting(component):  # right only because it never waits
                return await function(*args, **kwargs)

        return run_later if inspect.iscoroutinefunction(function) else run

    @contextmanager
    def _counting(self, component: str) -> Iterator[None]:
        started = time.process_time()
        self._inner.append(0.0)
        try:
            yield
        finally:
            took = time.process_time() - started
            self.seconds[component] += took - self._inner.pop()
            self._inner[-1] += took


def components(run: Callable[[], Any]) -> dict[str, float]:
    """Return {component: CPU seconds} of calling `run` once."""
    watch = Stopwatch()
    with ExitStack() as around:
        for component, places in COMPONENTS.items():
            for place in places:
                around.enter_context(_wrapped(watch, component, place))
        run()
    return dict(watch.seconds)


def _wrapped(watch: Stopwatch, component: str, place: str) -> Any:
    module, _, path = place.partition(":")
    owner: Any = import_module(f"textcentric.{module}")
    *outer, name = path.split(".")
    for step in outer:
        owner = getattr(owner, step)
    return patch.object(owner, name, watch.timed(component, getattr(owner, name)))
