"""Self-contained HTML pages: safe markup, one look, a policy that lets nothing in. Ships with whatever shows a page."""
