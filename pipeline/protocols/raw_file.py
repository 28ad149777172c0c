"""Raw files as the beamline's streaming receiver writes them: what writer and readers agree on."""

import struct

NUMBERS = "sequence_number"
"""Dataset of the frames' numbers, beside the frames."""
CHUNK_HEAD = struct.Struct(">QI")
"""HDF5's bitshuffle filter puts the chunk's size and the block size before the blocks [bytes]."""
BLOCK_BYTES = 8192
"""Block size of the cameras' compressed messages."""
