"""Review: what a change set means, told so that a person can judge it. Pure: no input, no output."""
