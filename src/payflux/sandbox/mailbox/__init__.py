"""The mailbox: every mail that is sent to the sandbox, to read on a page or as JSON. It delivers nothing."""
