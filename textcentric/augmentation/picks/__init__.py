"""What a model picks from a row, and what code makes of the pick; one file a kind of pick."""
