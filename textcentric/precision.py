"""Which number format this machine's CPU computes in at full speed."""

from __future__ import annotations

import platform


def cpu_dtype() -> str:
    """Return "bfloat16" where the CPU multiplies such numbers itself, else "float32".

    x86 processors without AVX-512 emulate them: measured on two such cores, vLLM started in 350 s
    instead of 95 s and wrote a third as much, and training ran at a fourteenth of its speed.
    """
    import torch

    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "bfloat16"
    capability = torch.backends.cpu.get_cpu_capability()
    return "bfloat16" if capability.startswith("AVX512") else "float32"


def steady_cpu_dtype() -> str:
    """Return the format in which vLLM's CPU build gives one text whatever else is asked with it.

    On processors with AMX tiles it multiplies few bfloat16 rows by another kernel than many (vLLM
    0.32, `check_cpu_sgl_kernel`), so a seeded text would depend on the size of its batch.
    """
    import torch

    tiles = torch.cpu.get_capabilities().get("amx_tile", False)
    return "float32" if tiles else cpu_dtype()
