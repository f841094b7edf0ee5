"""Models by name: the packaged ones, folders, and those of the hub."""
