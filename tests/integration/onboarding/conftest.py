"""The cast of the pages: Alice has just registered, Bob is a viewer in her account."""

from tests.integration.pages.conftest import alice, app, bob, stored

__all__ = ["alice", "app", "bob", "stored"]
