"""Numbers as people type them."""


def number_from(text: str, unit: str = "") -> float:
    """Read a number; a comma is a decimal point.

    Args:
        text: what was typed; spaces around it and the unit behind it may be there or not.
        unit: of the number.

    Raises:
        ValueError: the text is no number, or has a thousands separator, which could be read in
            two ways.
    """
    bare = text.strip()
    # A spin box puts its unit behind one that was typed.
    while unit and bare.endswith(unit):
        bare = bare[: -len(unit)].rstrip()
    # Python's underscores between digits are no way to write a length.
    if bare.count(",") + bare.count(".") > 1 or "_" in bare:
        raise ValueError(f"{bare!r} is not a number.")
    try:
        return float(bare.replace(",", "."))
    except ValueError as error:
        raise ValueError(f"{bare!r} is not a number.") from error
