"""The open catalogue: documents of Open Referral UK 3.0 that are documents of HSDS 3.1 too, of public services alone."""
