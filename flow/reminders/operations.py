"""What people do about their own appointments, by a link or by one word."""

from flow.reminders.answers import answer, end, take_text

__all__ = ["answer", "end", "take_text"]
