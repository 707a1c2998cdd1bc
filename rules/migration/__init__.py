"""Migration: DMS replicates every row, proves it, and says so. No linter checks any value of DMS."""
