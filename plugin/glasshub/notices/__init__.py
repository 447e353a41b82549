"""Telling people and programs what happened: webhooks, feeds and the inbox."""
