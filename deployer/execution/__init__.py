"""Execution: a reviewed change set carried out and followed to its end."""
