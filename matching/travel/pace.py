"""What an operator says of a way of travelling, as the engine has it."""

from django.core.exceptions import ImproperlyConfigured


def pace(name: str, text: str) -> tuple[int, int]:
    """`"1.4,35,5"` – detour, kilometres an hour, minutes at the start – as seconds at the start and for a kilometre of the straight line.

    Raises ImproperlyConfigured with the name of the setting.
    """
    try:
        detour, speed, start = (float(part) for part in text.split(","))
    except ValueError:
        detour = speed = start = -1.0
    if not (1 <= detour <= 10 and 1 <= speed <= 300 and 0 <= start <= 120):
        raise ImproperlyConfigured(f"{name} is “{text}”. Give detour, kilometres an hour and minutes at the start, like 1.4,35,5.")
    return round(start * 60), round(3600 * detour / speed)
