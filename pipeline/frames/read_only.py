"""Frames as kernels are compiled for them."""

from typing import Any

from numpy.typing import NDArray


def read_only(image: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written, as frames come from a camera.

    Numba compiles a kernel once more, which takes seconds, for an array that could be written, such
    as one that was read from a raw file.
    """
    view = image.view()
    view.flags.writeable = False
    return view
