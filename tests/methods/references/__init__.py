"""Methods once more, slowly: short loops over numbers, to be read beside the papers.

Each file is one method, and says the equations it writes out. Nothing here is shared with the
implementation, so that a mistake would have to be made twice; the tests of a method compare the
two.
"""
