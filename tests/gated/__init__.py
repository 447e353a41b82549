"""Gated repos: asking, deciding, and that nobody reads files who was not let in."""
