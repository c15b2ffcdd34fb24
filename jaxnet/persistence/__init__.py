"""Results to files and back: a sealed pickle that holds data and can run no code.

A file is one protocol-4 pickle of builtins only (None, bool, int, float, str, bytes, list, tuple, dict with text keys),
written without shared references, then a trailer (`seal`). Arrays and jaxnet's own classes are dicts marked by the key
"~" (`tree`, `kinds`). `load` checks trailer, hash and signature; builds plain data from the few instructions that there may
be, by a reader of its own (`opcodes`, `stack`): no unpickler gets the bytes; then checks the format version and the shape
of what it finds. No fallback. Rows of a store are read the same way.

The hash tells damage, not authorship: whoever can write the file can write the hash. A hostile file can hold wrong
numbers, but not code. A signature under a shared key tells authorship too.
"""

from jaxnet.persistence.files import FORMAT_VERSION, load, pack, read_metadata, save, unpack

__all__ = ["FORMAT_VERSION", "load", "pack", "read_metadata", "save", "unpack"]
