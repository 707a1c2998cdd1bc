"""Render: a review as text, Markdown, JSON or one HTML page. Pure: no input, no output."""
