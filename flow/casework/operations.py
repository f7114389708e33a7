"""What people do around one person: each function is one transaction: lock, read, change, record, publish."""

from flow.casework.follow_ups import assign, call_after_yes, cancel, finish, follow_up, postpone, tell_due

__all__ = ["assign", "call_after_yes", "cancel", "finish", "follow_up", "postpone", "tell_due"]
