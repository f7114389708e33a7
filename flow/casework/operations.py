"""What people do around one person: each function is one transaction: lock, read, change, record, publish."""

from flow.casework.documents import add as add_document
from flow.casework.documents import forget, scan, scan_waiting
from flow.casework.documents import share as share_document
from flow.casework.documents import withdraw as withdraw_document
from flow.casework.follow_ups import assign, call_after_yes, cancel, finish, follow_up, postpone, tell_due
from flow.casework.messages import answer, ask, mark_read, write
from flow.casework.notes import correct
from flow.casework.notes import withdraw as withdraw_note
from flow.casework.notes import write as write_note
from flow.casework.outcomes import plan_scores

__all__ = [
    "add_document", "answer", "ask", "assign", "call_after_yes", "cancel", "correct", "finish", "follow_up", "forget", "mark_read",
    "plan_scores", "postpone", "scan", "scan_waiting", "share_document", "tell_due", "withdraw_document", "withdraw_note", "write",
    "write_note",
]  # fmt: skip
