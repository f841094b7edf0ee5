"""The built-in samples: rows written and pictures drawn by seeded code, labels by a known rule."""
