"""The mathematics of certifiably robust multimodal training."""
