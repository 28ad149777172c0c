"""Plots and what is drawn on them; they know nothing of Tango."""
