"""Texts as Tango can carry them: attributes in Latin-1, errors and descriptions in ASCII."""

import unicodedata

_SPELLED = str.maketrans(
    {
        "…": "...",
        "–": "-",
        "—": "-",
        "−": "-",
        "→": "->",
        "×": "x",
        "≤": "<=",
        "≥": ">=",
        "µ": "u",
        "°": " deg",
        "²": "^2",
        "θ": "theta",
        "Å": "angstrom",
    }
)


def carriable(text: str) -> bool:
    """Say whether a text comes back from Tango as it went in."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def latin(text: str) -> str:
    """Return a text that an attribute can carry; what it cannot is spelled out or becomes ``?``."""
    if carriable(text):
        return text
    return text.translate(_SPELLED).encode("latin-1", "replace").decode("latin-1")


def ascii_only(text: str) -> str:
    """Return a text that an error or a description can carry."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return bare.encode("ascii", "replace").decode("ascii")
