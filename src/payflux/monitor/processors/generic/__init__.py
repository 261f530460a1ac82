"""A processor that posts its events to us, in a form of our own, and history from files."""
