"""Logs of Inspect, read without Inspect: the container, what it says, and whether that adds up."""
