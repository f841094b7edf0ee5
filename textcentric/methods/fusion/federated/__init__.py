"""Federated training over clients of different modalities, on Flower."""
