"""Sweeps that survive: finished fits in an SQLite file, from which a sweep that was stopped goes on.

A store holds runs, each a sweep under a name (`database`). While a process works on a run it holds a lock (`lock`), and
writes what it finds and where its walks stand in one transaction after the other (`ledger`); so a run is at any moment as
it was after one of them. What is stored of a run are sealed blobs, as of `jaxnet.save`, which can run no code.
"""
