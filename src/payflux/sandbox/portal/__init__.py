"""The pages on which a customer looks after what they have subscribed to, and pays an invoice."""
