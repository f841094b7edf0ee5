"""The stages of a row, and the window of rows that keeps the engine full."""
