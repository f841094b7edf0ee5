"""What the training loop in `textcentric.train` stands on: batches, checkpoints, folder, log."""
