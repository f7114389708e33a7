"""What people do around one person: each function is one transaction: lock, read, change, record, publish."""

from flow.casework.follow_ups import assign, call_after_yes, cancel, finish, follow_up, postpone, tell_due
from flow.casework.messages import answer, ask, mark_read, write
from flow.casework.notes import correct
from flow.casework.notes import withdraw as withdraw_note
from flow.casework.notes import write as write_note

__all__ = [
    "answer", "ask", "assign", "call_after_yes", "cancel", "correct", "finish", "follow_up", "mark_read", "postpone", "tell_due",
    "withdraw_note", "write", "write_note",
]  # fmt: skip
