"""The engine."""

from jaxnet.compilation import compile_loops_whole

compile_loops_whole()
