#!/usr/bin/env python
"""Run Django's commands with Lune's settings (development unless told otherwise)."""

import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    from django.core.management import execute_from_command_line

    if sys.argv[1:2] == ["migrate"]:
        gc.disable()  # the states between migrations are small things by the million: looking through them took a quarter of the time
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
