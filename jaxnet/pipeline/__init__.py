"""From a call to a result: the request, its columns, the problem in units, who solves what, and the fits put together."""
