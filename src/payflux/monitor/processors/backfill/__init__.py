"""What is older than the first 90 days, read in the background."""
