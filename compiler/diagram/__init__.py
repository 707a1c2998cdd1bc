"""Pictures of a bundle, drawn from its compiled templates alone: pure functions from data to SVG text."""
