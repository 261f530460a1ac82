"""The reference of the API: a page made of its own description."""
