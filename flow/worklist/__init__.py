"""The referrer's worklist: its lines, saved views, and what is done to many lines at once."""
