"""Texts and e-mails to people about their own appointments: no word of care in them, and an answer by one press or one word."""
