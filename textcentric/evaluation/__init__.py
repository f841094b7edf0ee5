"""What trained models are worth: predictions, damage, attacks."""
