"""The Xet protocol's formats: files as chunks, chunks packed into xorbs, described by shards. Pure.

Specification: https://huggingface.co/docs/xet
"""
