"""Gate: what may not happen without being named. Pure: no input, no output."""
