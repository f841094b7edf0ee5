"""Measure what the engine's design promises, one file a figure.

    python -m benchmarks                        # all of them: `make bench`
    python -m benchmarks driver startup --json figures.json

Raw readings go to `benchmarks/results/NAME.json`. Measure on a quiet machine.
"""
