"""Prove that every row arrived: counts and checksums of each table in the source and the target database.

Runs as the Lambda function of the validation tier (`validator.handler`) and as a command (`python -m validator`).
Ships alone: it imports nothing of the rest of this repository, only the standard library and pg8000.
"""
