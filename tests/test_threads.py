"""One BLAS thread: as long as anyone wants it, whoever else does too."""

from threadpoolctl import threadpool_info

from jaxnet.execution.threads import one_thread


def _threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_scopes_of_several_threads_may_overlap():
    """Entered and left as two worker threads would: the first to leave is not the last that was entered."""
    before, one, other = _threads(), one_thread(), one_thread()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert set(_threads()) == {1}
    other.__exit__(None, None, None)
    assert _threads() == before
