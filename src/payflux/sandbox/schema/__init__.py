"""Stripe's parameters and objects as the installed `stripe` package declares them for API version 2026-10-28.endive."""
