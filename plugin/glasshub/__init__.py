"""Glasshub: a self-hosted hub for models and datasets with open evaluation results."""

__version__ = "0.1.0"
