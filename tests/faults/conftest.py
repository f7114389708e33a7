from tests.stack.fixtures import _stack, stack  # noqa: F401
