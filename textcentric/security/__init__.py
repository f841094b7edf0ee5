"""The walls: what a stranger's folder, file, text or server may do here, and what it may not."""
