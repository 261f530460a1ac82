"""Whether accounts are kept apart: what the catalogue says of every table, and a check that tries to get across."""
