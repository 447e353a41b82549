"""Logs that people attach to results: found, audited in the background, and shown item by item.

``references`` says which log a result names, ``examine`` reads and audits it (in a process of its own, ``child``, with
limits), ``queue`` and ``loop`` see to it that each is audited once, ``shown`` decides who sees what of it.
"""
