"""Encryption in transit: nothing speaks plain text, and who speaks is verified."""
