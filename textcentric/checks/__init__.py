"""Is a variant true: one check a file, and a verdict that weighs them."""
