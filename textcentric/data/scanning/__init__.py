"""One look at a table before it is used: what it holds, and what of it cannot be used."""
