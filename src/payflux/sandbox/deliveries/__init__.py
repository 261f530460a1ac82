"""Webhooks: who hears of an event, and the signed POSTs that tell them."""
