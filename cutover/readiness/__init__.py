"""Whether the source can be replicated, frozen and left: findings, each with what to do."""
