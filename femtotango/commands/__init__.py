"""The commands of `femtotango`, one module each."""
