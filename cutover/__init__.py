"""The cutover: the databases made ready, and the payments moved from one to the other.

Ships alone, with the driver: of the repository it imports the validator's endpoint and errors, and nothing else.
"""
