"""Measure what the engine's design promises: `python -m benchmarks [NAME...]`, one file a figure."""
