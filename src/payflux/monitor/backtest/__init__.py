"""The rules replayed at past dates and judged by what happened after."""
