"""Which number format a CPU is given."""

from __future__ import annotations

import platform

import pytest
import torch

from textcentric.engines.vllm import VllmEngine
from textcentric.precision import cpu_dtype


@pytest.mark.parametrize(
    ("machine", "capability", "dtype"),
    [
        ("x86_64", "AVX512", "bfloat16"),
        ("x86_64", "AVX2", "float32"),
        ("AMD64", "DEFAULT", "float32"),
        ("aarch64", "DEFAULT", "bfloat16"),
    ],
)
def test_bfloat16_is_for_cpus_that_multiply_it(
    monkeypatch: pytest.MonkeyPatch, machine: str, capability: str, dtype: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert cpu_dtype() == dtype


def test_the_users_own_format_wins() -> None:
    known = {"dtype", "model"}
    assert VllmEngine(dtype="float16")._arguments(known)["dtype"] == "float16"
