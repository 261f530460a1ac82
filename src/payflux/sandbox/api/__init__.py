"""The calls under /v1: who calls, what with, how often, and how answers and errors are told."""
