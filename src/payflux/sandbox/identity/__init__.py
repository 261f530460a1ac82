"""An OpenID Connect provider that plays Google and Microsoft, with a cast to sign in as."""
