"""`python -m payflux` is `payflux`."""

from payflux.cli.commands import app

if __name__ == "__main__":
    app()
