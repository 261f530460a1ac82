"""Checkout: sessions, and the hosted page that a person pays on."""
