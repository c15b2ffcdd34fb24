"""The engine."""

from jaxnet.execution.compilation import compile_loops_whole, time_compilations

compile_loops_whole()
time_compilations()
