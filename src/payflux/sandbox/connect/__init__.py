"""How a merchant lets others read their account: Connect's OAuth, and that of a Stripe App."""
