"""Solvers of the problem restricted to a working set."""
