"""Attestations: who ran a benchmark, what they measured, and whether a claim is what was signed.

docs/verification.md describes claims, digests and states. Nothing here knows HTTP, git or SQL: the caller brings
the bytes and the facts.
"""
