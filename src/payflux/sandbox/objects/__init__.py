"""Rows of a merchant's books as the objects of Stripe's API, version 2026-10-28.endive."""
