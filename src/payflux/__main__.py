"""`payflux`, which is also `python -m payflux`."""

import gc

# what is imported stays to the end; to look through it for garbage on the way takes a third of the start
gc.disable()

from payflux.cli.commands import app  # noqa: E402 -- see above

gc.enable()

if __name__ == "__main__":
    app()
