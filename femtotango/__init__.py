"""The Tango face of the FemtoMAX pipeline."""
