"""Settings and tiers → linked bundle → findings → out/<suffix>/. Pure but for the last step."""
