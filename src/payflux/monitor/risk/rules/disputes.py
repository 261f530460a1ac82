"""What is assumed of disputes."""

WARNING_ESCALATION = 0.8
"""Share of early fraud warnings that become disputes if nothing is done (Stripe, "How disputes work")."""
