"""Files of rows: pictures and sounds, found inside the data folder and opened."""
