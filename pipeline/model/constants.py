"""Constants of nature."""

HC = 6.62607015e-34 * 299792458 / 1.602176634e-19 * 1e-3
"""Photon energy [keV] times wavelength [m]: h c / e, which the SI has fixed since 2019."""
