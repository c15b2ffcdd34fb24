"""Penalties, one a file."""
