"""Where and how a sweep runs: the device, BLAS threads, what is compiled, chunks in flight."""
