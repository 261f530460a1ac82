"""What keeps a connection up to date: an inbox of the processor's events, polling where none can reach us, and reading
again what may have changed."""
