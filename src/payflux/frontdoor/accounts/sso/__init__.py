"""Single sign-on: an account's own identity provider vouches for the people of the account's own domains."""
