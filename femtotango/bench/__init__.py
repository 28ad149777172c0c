"""Measurements that check their results; `make bench` runs them."""
