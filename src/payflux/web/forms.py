"""The types of what a form sends."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form

Text = Annotated[str, Form()]
