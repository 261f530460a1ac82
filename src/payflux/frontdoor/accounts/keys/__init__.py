"""API keys: what a program of an account proves itself with, where nobody signs in."""
