"""What the staff change of what is sold: plans, features, and who is affected."""
