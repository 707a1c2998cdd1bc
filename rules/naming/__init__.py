"""Names and tags: an environment is told apart by its suffix, and every name fits its service."""
