"""Payments made by calls and on the hosted pages: cards, intents, charges and the money they move."""

from payflux.sandbox.payments.paying import PaymentResult, pay

__all__ = ["PaymentResult", "pay"]
