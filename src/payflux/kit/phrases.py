"""Sentences that are kept: in English, with the message and the values that they were made of, so that whoever reads
them later reads them in their own language.

A `Phrase` is its English text. `kept` makes plain text of the phrases of a document and puts their forms into its
phrasebook; `spoken` puts such a document into the language of the task at hand. A sentence without values is its own
form: the catalogue knows it. What neither knows, such as a sentence of an earlier version, stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec

from payflux.kit.figures import day_words, written
from payflux.kit.messages import SOURCE_LANGUAGE, gettext, language, ngettext

Form = list[Any]
"""How a phrase is made, as JSON: its kind, a key of :data:`_KINDS`, and what that kind needs."""

Phrasebook = dict[str, Form]
"""The form of each phrase of a document, by its English text. A document that has some keeps them in its field
`phrases`, which is UNSET before and is no part of what the document says."""

Document = TypeVar("Document", bound=msgspec.Struct)


class Phrase(str):
    """English text that knows the `form` it was made by."""

    __slots__ = ("form",)
    form: Form

    def __new__(cls, text: str, form: Form) -> Phrase:
        phrase = super().__new__(cls, text)
        phrase.form = form
        return phrase


def say(message: str, **values: object) -> Phrase:
    """A message of the catalogue with its values: phrases, numbers, or text that is the same in every language. A
    percent sign is doubled where there are values."""
    return Phrase(message % values, ["say", message, _forms(values)]) if values else Phrase(message, ["say", message])


def counted(number: int, singular: str, plural: str) -> Phrase:
    """The form of a message that `number` things need; `count` in it is the number, with thousands marked."""
    text = (singular if number == 1 else plural) % {"count": f"{number:,}"}
    return Phrase(text, ["counted", number, singular, plural])


def figure(text: str) -> Phrase:
    """A number written in English, with or without its unit: a language has its own marks for it."""
    return Phrase(text, ["figure", text])


def joined(separator: str, parts: Sequence[str]) -> str:
    """`parts` in a row, empty ones left out; `separator` is the same in every language."""
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return parts[0] if parts else ""
    return Phrase(separator.join(parts), ["joined", separator, [_form(part) for part in parts]])


def dated(day: date) -> Phrase:
    """A day, in English as ISO 8601 writes it."""
    return Phrase(day.isoformat(), ["dated", day.isoformat()])


def kept(document: Document) -> Document:
    """`document`, a structure of any depth with a field `phrases`, with plain text for its phrases."""
    book: Phrasebook = {}

    def plain(text: str, _book: Phrasebook) -> str:
        if not isinstance(text, Phrase):
            return text
        book[str(text)] = text.form
        return str(text)

    return msgspec.structs.replace(_each_text(document, plain, {}), phrases=book)


def without_phrases(value: Any) -> Any:
    """`value`, made of structures, as it is without their phrasebooks: what it says, in English alone."""
    match value:
        case msgspec.Struct():
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {name: new for name, old in fields.items() if (new := without_phrases(old)) is not old}
            if "phrases" in fields:
                changed["phrases"] = msgspec.UNSET
            return msgspec.structs.replace(value, **changed) if changed else value
        case tuple() | list() if value and isinstance(value[0], msgspec.Struct):
            return type(value)(map(without_phrases, value))
        case _:
            return value


def revived(text: str, book: Phrasebook | msgspec.UnsetType) -> str:
    """`text` of a document with the form that its phrasebook has of it, to be kept in another one."""
    return Phrase(text, book[text]) if book and text in book else text


def spoken(document: Document) -> Document:
    """`document` in the language of the task at hand, as far as its phrasebook and the catalogue know how."""
    return document if language() == SOURCE_LANGUAGE else _each_text(document, _in_language, {})


def kept_words(words: Mapping[str, str]) -> dict[str, Any]:
    """`words` by name, to be kept as JSON: plain text, with its phrasebook under `phrases`."""
    book = {str(text): text.form for text in words.values() if isinstance(text, Phrase)}
    return {name: str(text) for name, text in words.items()} | {"phrases": book}


def changed_words(words: Mapping[str, Any], **changes: str) -> dict[str, Any]:
    """Words that are kept, some of them changed."""
    book = words.get("phrases", {})
    return kept_words({name: revived(text, book) for name, text in words.items() if name != "phrases"} | changes)


def spoken_words(words: Mapping[str, Any]) -> dict[str, str]:
    """Words that were kept, in the language of the task at hand."""
    book, texts = words.get("phrases", {}), {name: text for name, text in words.items() if name != "phrases"}
    return texts if language() == SOURCE_LANGUAGE else {name: _in_language(text, book) for name, text in texts.items()}


def told(text: str) -> str:
    """A phrase, or a message without values, in the language of the task at hand."""
    return text if language() == SOURCE_LANGUAGE else _in_language(text, {})


def _in_language(text: str, book: Phrasebook) -> str:
    form = text.form if isinstance(text, Phrase) else book.get(text)
    if form is not None:
        return _rendered(form)
    return gettext(text) if " " in text else text  # a single word is a name that code goes by


def _each_text(value: Any, change: Callable[[str, Phrasebook], str], book: Phrasebook) -> Any:
    """`value` with every text in it changed; what nothing changes in is the same object."""
    match value:
        case str():
            return change(value, book) if type(value) in (str, Phrase) else value  # an enumeration is no text
        case msgspec.Struct():
            book = getattr(value, "phrases", None) or book
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {name: new for name, old in fields.items() if (new := _each_text(old, change, book)) is not old}
            return msgspec.structs.replace(value, **changed) if changed else value
        case tuple():
            items = [_each_text(item, change, book) for item in value]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else tuple(items)
        case _:
            return value


def _forms(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _form(value) for name, value in values.items()}


def _form(value: object) -> object:
    return value.form if isinstance(value, Phrase) else value


def _rendered(form: object) -> str:
    if not isinstance(form, list):
        return gettext(form) if isinstance(form, str) else str(form)
    kind, *rest = form
    return _KINDS[kind](*rest)


def _said(message: str, values: Mapping[str, object] | None = None) -> str:
    if values is None:
        return gettext(message)
    return gettext(message) % {name: _rendered(value) for name, value in values.items()}


def _counted(number: int, singular: str, plural: str) -> str:
    return ngettext(singular, plural, number) % {"count": written(f"{number:,}")}


def _joined(separator: str, parts: Sequence[object]) -> str:
    return separator.join(map(_rendered, parts))


def _dated(day: str) -> str:
    return day_words(date.fromisoformat(day))


_KINDS: dict[str, Callable[..., str]] = {
    "say": _said,
    "counted": _counted,
    "figure": written,
    "joined": _joined,
    "dated": _dated,
}
