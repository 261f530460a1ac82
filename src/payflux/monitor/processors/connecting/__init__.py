"""Connecting a workspace to Stripe, and ending it.

First Stripe is asked, with no transaction open; what it allows is stored afterwards.
"""
