"""How long an account keeps what it need not keep for as long as it has a plan."""
