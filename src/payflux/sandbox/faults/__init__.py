"""Faults on request: what goes wrong, for whom, how often; the same each time, given the seed."""
