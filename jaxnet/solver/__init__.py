"""The engine."""

from jaxnet.compilation import compile_loops_whole, time_compilations

compile_loops_whole()
time_compilations()
