"""Kernels on images: arrays in, arrays out."""
