"""SCIM 2.0: an account's directory tells who is in the company."""
