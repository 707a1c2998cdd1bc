"""Encryption at rest: everything that holds data, with a key of our own where the service takes one."""
