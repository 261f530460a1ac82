"""The `payflux` command."""
