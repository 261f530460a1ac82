"""Reconciliation: whether what is stored and what the processor shows add up, after every sync."""
