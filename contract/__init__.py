"""What a tier module is written with, and must honour: kinds and wires, names, tags, deliberate exceptions.

Imports `settings` only; `templates` and `compiler` import it.
"""
