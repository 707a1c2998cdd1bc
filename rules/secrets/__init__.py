"""Secrets: rotated, and nowhere in the open."""
