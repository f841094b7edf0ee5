"""Certifiably robust multimodal training (CRMT), its variants and its rivals."""

from textcentric.methods.crmt.config import VARIANTS, CrmtConfig, crmt_config
from textcentric.methods.crmt.method import Crmt

__all__ = ["VARIANTS", "Crmt", "CrmtConfig", "crmt_config"]
