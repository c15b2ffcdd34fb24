"""Choosing among the fits of a sweep. Pure functions of arrays, to which `SweepResult` delegates."""
