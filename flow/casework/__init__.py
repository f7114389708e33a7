"""Working with one person: notes, messages on a referral, documents, follow-ups, and the one page that tells all of it."""
