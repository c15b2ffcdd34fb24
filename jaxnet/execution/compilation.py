"""How JAX compiles for jaxnet: programs kept between processes, and loops on a CPU compiled whole."""

import os
import sys
import threading
import time
from pathlib import Path

from jaxnet.errors import InvalidInput

VARIABLE = "JAXNET_CACHE_DIR"
LEAST_SECONDS = 0.1
"""Programs that compile faster are not worth keeping."""
_LEAST = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
_OPTIONS = "--xla_backend_extra_options"
_LOOP_BYTES = 1 << 20


def enable_compile_cache(folder=None) -> Path | None:
    """Keep compiled programs in `folder`, so that only the first process that needs one pays for its compilation.

    Turns on JAX's persistent compilation cache for the whole process; the command line does so by itself. Returns the folder
    in use, or None where the cache stays off.

    - folder: where to; by default the environment variable `JAXNET_CACHE_DIR` ("" or "off": no cache), else
      `$XDG_CACHE_HOME/jaxnet`, else `~/.cache/jaxnet`. JAX's own variable, `JAX_COMPILATION_CACHE_DIR`, wins over the default.

    Raises InvalidInput where a given `folder` cannot be made or written to; a default one that cannot is passed over.

    >>> import jaxnet, tempfile
    >>> folder = jaxnet.enable_compile_cache(tempfile.mkdtemp())
    """
    given = folder is not None
    if not given and "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    chosen = str(folder) if given else os.environ.get(VARIABLE, os.path.join(home, "jaxnet"))
    if not given and chosen in ("", "off"):
        return None
    path = Path(chosen).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        writable = os.access(path, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        if given:
            raise InvalidInput(f"folder={chosen!r} cannot be made or written to; give a folder that can.")
        return None
    if "jax" in sys.modules:
        import jax

        jax.config.update("jax_compilation_cache_dir", str(path))
        if _LEAST not in os.environ:
            jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_SECONDS)
    else:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(path)
        os.environ.setdefault(_LEAST, str(LEAST_SECONDS))
    return path


def compile_loops_whole() -> None:
    """Let XLA compile small loops on a CPU into one function each also before jax 0.12, which does so by itself.

    An iteration of such a loop touches at most 1 MB. Without, coordinate descent is two to six times slower there. XLA reads
    its flags when the first program compiles: call this before. Options that the user has set himself are left alone.
    """
    import jax

    flags = os.environ.get("XLA_FLAGS", "")
    if jax.__version_info__ < (0, 12) and _OPTIONS not in flags:
        option = f"{_OPTIONS}=xla_cpu_small_while_loop_byte_threshold={_LOOP_BYTES}"
        os.environ["XLA_FLAGS"] = f"{flags} {option}".strip()


_PHASES = ("trace_duration", "mlir_module_duration", "backend_compile_duration", "cache_retrieval_time_sec")


class _Stopwatch:
    """The time in which some thread was compiling, as far as the ends of compilations tell."""

    def __init__(self) -> None:
        self._lock, self.seconds, self._until = threading.Lock(), 0.0, 0.0

    def __call__(self, event: str, duration: float, **_: object) -> None:
        if not event.endswith(_PHASES):
            return
        now = time.monotonic()
        with self._lock:
            self.seconds += max(now - max(now - duration, self._until), 0.0)
            self._until = max(self._until, now)


_stopwatch = _Stopwatch()


def time_compilations() -> None:
    """Begin to count `seconds_compiled`; call once."""
    import jax

    jax.monitoring.register_event_duration_secs_listener(_stopwatch)


def seconds_compiled() -> float:
    """How long this process has compiled: programs are compiled once, so estimates of the time left leave that out."""
    return _stopwatch.seconds
