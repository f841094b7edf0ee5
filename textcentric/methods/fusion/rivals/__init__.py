"""What CRMT is compared with."""
