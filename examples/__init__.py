"""Inflight on data that anyone can get."""
