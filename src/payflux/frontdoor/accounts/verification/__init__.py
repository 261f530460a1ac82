"""Proof that an address is read by its user: a link and a code, mailed together, each used up by a POST alone."""
