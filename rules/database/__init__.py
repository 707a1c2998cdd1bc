"""Database: restorable, attributable, logged, and hard to delete where it must be."""
