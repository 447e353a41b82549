"""Glasshub: a self-hosted hub for models and datasets with open evaluation results."""
