"""What a caller's function computes, as a short text: its name, and a hash of its code and of all that the code uses.

Two functions of one text compute the same. So the text tells code, constants, defaults, closure and the globals that are
named; functions among these the same way, and what is installed (NumPy, the standard library) by its name and version.
What cannot be told, such as an object with a state of its own, is refused.
"""

from __future__ import annotations

import builtins
import dis
import functools
import hashlib
import os
import sys
import sysconfig
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput

_PLAIN = {type(None), bool, int, float, complex, str, bytes, type(Ellipsis)}
_PYTHON = "python {}.{}".format(*sys.version_info)
_REMEDY = (
    "give the function a name of your own, metric.store_name = 'asymmetric, first version', and another one when you change "
    "it; or use a named metric, or sweep without store=."
)


def identify(function: Any) -> str:
    """The text of a function. Its attribute `store_name`, a text, stands for all of it.

    Raises InvalidInput where what it uses cannot be told.
    """
    own = getattr(function, "store_name", None)
    if own is not None:
        if not isinstance(own, str) or not own.strip():
            raise InvalidInput(f"store_name={own!r:.60} of the metric is no name: give a text.")
        return f"called {own}"
    name = f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
    try:
        told = _Teller().tell(function, "it")
    except RecursionError:
        raise InvalidInput(
            f"metric: a store cannot tell it from another, because something in it has no end: {_REMEDY}"
        ) from None
    return f"{name} sha256 {hashlib.sha256(told.encode()).hexdigest()}"


class _Teller:
    """Tells values as text, each function once: one that is told again, as itself, is but a number."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def tell(self, value: Any, where: str) -> str:
        """`where` it was found, for a sentence that refuses it."""
        if type(value) is np.ndarray and value.dtype.kind not in "OV":
            digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return f"array {value.dtype} {value.shape} {digest}"
        if type(value) in _PLAIN or isinstance(value, np.generic):
            return f"{type(value).__name__} {value!r}"
        if type(value) in (tuple, list):
            return f"{type(value).__name__}[{', '.join(self.tell(part, where) for part in value)}]"
        if type(value) in (set, frozenset):
            return f"{type(value).__name__}{{{', '.join(sorted(self.tell(part, where) for part in value))}}}"
        if type(value) is dict:
            pairs = (f"{self.tell(key, where)}: {self.tell(part, where)}" for key, part in value.items())
            return f"dict{{{', '.join(pairs)}}}"
        if isinstance(value, CodeType):
            return self._code(value, where)
        if isinstance(value, ModuleType):
            return self._module(value, where)
        if isinstance(value, functools.partial):
            return f"partial {self.tell([value.func, value.args, value.keywords], where)}"
        installed = _installed(value)
        if installed is not None:
            return installed
        if isinstance(value, FunctionType):
            return self._function(value, where)
        raise InvalidInput(
            f"metric: a store cannot tell it from another, because {where} is an object of {type(value).__name__}: {_REMEDY}"
        )

    def _function(self, function: FunctionType, where: str) -> str:
        if id(function) in self._known:
            return f"function {self._known[id(function)]}"
        self._known[id(function)] = len(self._known)
        code = function.__code__
        within = lambda kind: f"{kind} of {function.__qualname__}"
        parts = [
            self._code(code, where),
            self.tell(function.__defaults__, within("a default")),
            self.tell(function.__kwdefaults__, within("a default")),
            self.tell(vars(function), within("an attribute")),
        ]
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            parts.append(f"{name}: {self._cell(cell, within(f'{name!r}, a variable'))}")
        for name in sorted(_globals_of(code)):
            if name in function.__globals__:
                parts.append(f"{name}: {self.tell(function.__globals__[name], within(f'{name!r}, a global'))}")
        return f"function({'; '.join(parts)})"

    def _cell(self, cell: Any, where: str) -> str:
        try:
            return self.tell(cell.cell_contents, where)
        except ValueError as error:
            if isinstance(error, InvalidInput):
                raise
            return "empty"  # not assigned yet

    def _code(self, code: CodeType, where: str) -> str:
        """Instructions, constants and names, without what moves with the file: its name and line numbers."""
        constants = self.tell(code.co_consts, where)
        names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
        counts = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags]
        return f"code({code.co_code.hex()}, {constants}, {names}, {counts}, {_PYTHON})"

    def _module(self, module: ModuleType, where: str) -> str:
        if not _is_installed(module.__name__):
            raise InvalidInput(
                f"metric: a store cannot tell it from another, because {where} is the module {module.__name__!r}, which may "
                f"change: import what the metric uses of it, or {_REMEDY}"
            )
        return f"module {module.__name__} {_version(module.__name__)}"


def _globals_of(code: CodeType) -> set[str]:
    """Names that the code, or code inside it, looks up outside of functions."""
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    own = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*map(_globals_of, inner))


def _installed(value: Any) -> str | None:
    """A function or class that is found under its name in an installed module, as that name and the version."""
    name = getattr(value, "__qualname__", getattr(value, "__name__", None))
    home = getattr(value, "__module__", None)
    if isinstance(value, np.ufunc):
        home = "numpy"
    if not isinstance(value, (FunctionType, BuiltinFunctionType, type, np.ufunc)) and not callable(value):
        return None
    if not isinstance(name, str) or not isinstance(home, str) or not _is_installed(home):
        return None
    found: Any = sys.modules.get(home)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{home}.{name} {_version(home)}" if found is value else None


def _is_installed(module: str) -> bool:
    """Whether a module is of the standard library or of an installed package: not of files that someone is working on."""
    top = module.partition(".")[0]
    if top in sys.builtin_module_names or module == builtins.__name__:
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or getattr(sys.modules.get(top), "__file__", None)
    places = (sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib"))
    return top != "__main__" and file is not None and any(file.startswith(place + os.sep) for place in places)


def _version(module: str) -> str:
    top = module.partition(".")[0]
    return str(getattr(sys.modules.get(top), "__version__", _PYTHON))
