"""The program that runs benchmarks for a hub and signs what it measures. It talks to the hub over HTTP only."""
