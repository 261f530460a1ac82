"""Subscriptions and what they bring about: periods, invoices, payments and their retries, and the customer's portal."""
