"""What people do beyond `visible_to`: a record opened in an emergency, and its review."""

from flow.sight.glass import open_record, read, review

__all__ = ["open_record", "read", "review"]
