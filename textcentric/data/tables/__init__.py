"""Tables of every format as batches of rows, with what is out of the ordinary in them."""
