"""Simulated merchants: real purchases, and a seeded model of everything that happens to a payment afterwards."""
