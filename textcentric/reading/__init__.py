"""Reading: a sheet of variants beside their sources, what readers called them, what follows."""
