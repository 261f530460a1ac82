"""What is sold: plans, their prices, limits and features, from one file to published rows."""
