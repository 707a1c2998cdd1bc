"""Identity: least privilege, and no one outside the account."""
