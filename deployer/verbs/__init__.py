"""Verbs: one module each, `run(options, root) -> exit code`; they join the other rooms and print."""
