"""Which number format a CPU is given."""

from __future__ import annotations

import platform

import pytest
import torch

from textcentric.engines.vllm import VllmEngine
from textcentric.machine import cpu_dtype, steady_cpu_dtype


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


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [({"amx_tile": True}, "float32"), ({"amx_tile": False}, "bfloat16"), ({}, "bfloat16")],
)
def test_vllm_is_given_a_format_whose_sums_do_not_depend_on_the_batch(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], dtype: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr("textcentric.engines.vllm.on_cpu", lambda: True)
    assert steady_cpu_dtype() == dtype
    assert VllmEngine()._arguments({"dtype", "model"})["dtype"] == dtype


def test_the_users_own_format_wins() -> None:
    known = {"dtype", "model"}
    assert VllmEngine(dtype="float16")._arguments(known)["dtype"] == "float16"
