"""On which device a sweep runs, and on what kind: the one place that knows, made from `device=`.

A sweep runs inside `scope(device)`; everything that depends on the platform (which solver, how much memory, how many threads,
which form of a product) asks `current()` or `on_cpu()` there. JAX compiles anew for another device, so that they may also be
asked while a function is traced. The scope belongs to a thread: another one enters it by `carried()`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import jax

from jaxnet.errors import InvalidInput


def find(device) -> jax.Device | None:
    """The device that a caller means by a JAX device, the name of a platform ("cpu", "gpu"), or None: JAX's default.

    Raises InvalidInput for anything else, and for a platform that is not there.
    """
    if device is None or isinstance(device, jax.Device):
        return device
    if not isinstance(device, str):
        raise InvalidInput(f"device={device!r:.100} is no JAX device; give one of jax.devices(), 'cpu' or 'gpu'.")
    try:
        return jax.local_devices(backend=device)[0]
    except RuntimeError as error:
        raise InvalidInput(
            f"device={device!r} is not available here ({error}); leave it out to use the default."
        ) from None


def scope(device: jax.Device | None) -> AbstractContextManager:
    """Where arrays go to `device`; None leaves them where they go."""
    return nullcontext() if device is None else jax.default_device(device)


def current() -> jax.Device:
    """The device of this thread's scope."""
    device = jax.config.jax_default_device
    if isinstance(device, str):
        return jax.local_devices(backend=device)[0]
    return jax.local_devices()[0] if device is None else device


def on_cpu() -> bool:
    """There a native loop over the nonzeros beats any product: they are few, and what it reads stays in the cache."""
    return current().platform == "cpu"


def carried() -> Callable[[], AbstractContextManager]:
    """Makes the scope of this thread in another one."""
    device = jax.config.jax_default_device
    return lambda: jax.default_device(device)


def home() -> AbstractContextManager:
    """The scope of a CPU, for what is written for one: the current device if it is a CPU, else the first there is.

    Where JAX_PLATFORMS leaves out the CPU, the current device.
    """
    if on_cpu():
        return nullcontext()
    try:
        return jax.default_device(jax.local_devices(backend="cpu")[0])
    except RuntimeError:
        return nullcontext()
