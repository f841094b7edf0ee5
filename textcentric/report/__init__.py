"""Reports, cards and plots, written from folders alone."""
