"""How a shop's rates stand beside those of other shops of its size, of whom nothing else is told."""
