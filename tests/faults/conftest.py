from tests.notifications.fixtures import _stack, stack  # noqa: F401
