"""What would change if the merchant, or the processor, did something else: the same core on another history."""
