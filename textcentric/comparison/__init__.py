"""What a comparison is made of: its configuration, its arms, the cheap rivals."""
