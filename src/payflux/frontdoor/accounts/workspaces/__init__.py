"""The further workspaces of an account: tenants of their own that it pays for, and whose owner is its owner."""
