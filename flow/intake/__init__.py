"""Quick ways in: a referral from a patient's record in three clicks, and what arrives on paper, by e-mail or by phone."""
