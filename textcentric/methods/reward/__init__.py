"""Reward models: a score for a response, learnt from pairs of which one is preferred."""
