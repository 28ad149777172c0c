"""A command's argument: one JSON object with known keys; pure."""

import json
from collections.abc import Collection
from typing import Any

from femtotango.errors import BadRequest


def read_object(text: str, known: Collection[str], example: str) -> dict[str, Any]:
    """Read an argument.

    Args:
        text: JSON.
        known: keys that it may have.
        example: for the error's text.

    Raises:
        BadRequest: it is no JSON object, or has another key.
    """
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is a ValueError
        raise BadRequest(f"{text[:80]!r} is not JSON ({error}). Example: {example}") from error
    if not isinstance(request, dict):
        raise BadRequest(f"Expected an object, got {text[:80]!r}. Example: {example}")
    unknown = sorted(set(request) - set(known))
    if unknown:
        raise BadRequest(f"{unknown[0]!r} is not known. Example: {example}")
    return request
