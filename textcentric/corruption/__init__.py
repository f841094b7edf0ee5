"""Damage to rows, pictures and sounds, by kind and level."""
