"""Text-centric robustness for models over pictures, tables, sound and text."""
