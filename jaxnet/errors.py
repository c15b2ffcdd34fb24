"""What jaxnet raises and warns with."""


class InvalidInput(ValueError):
    """The data or the request is wrong; the message names the argument, the value and the remedy."""


class UnknownArgument(InvalidInput, TypeError):
    """A keyword that the function does not have; also a `TypeError`, as Python's own is."""


class ConvergenceWarning(UserWarning):
    """Some fits missed the requested duality gap; the message counts them and names the worst."""
