"""What is found on pages that were read. Pure."""
