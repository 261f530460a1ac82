"""The website scan: what a processor's reviewer would look for on the public pages of a shop."""
