"""All configuration of PayFlux, read once from the environment into one frozen object."""
