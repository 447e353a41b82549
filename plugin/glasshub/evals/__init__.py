"""Evaluation files and rules, pure: parsing with positions, alignment, ranking. No HTTP, git or SQL here."""
