"""Webhooks, the inbox, what one watches, and feeds."""
