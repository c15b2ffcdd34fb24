"""What jaxnet raises and warns with."""


class InvalidInput(ValueError):
    """The data or the request is wrong; the message names the argument, the value and the remedy."""


class ConvergenceWarning(UserWarning):
    """Some fits missed the requested duality gap; the message counts them and names the worst."""
