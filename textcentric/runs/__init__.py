"""A run directory: its journal, shards, manifest, and what reads them."""
