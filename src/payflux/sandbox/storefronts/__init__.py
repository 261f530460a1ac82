"""Shops for the website scan to read: a good one, one with gaps, and one that sells what processors restrict."""
