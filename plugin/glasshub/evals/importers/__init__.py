"""Files that evaluation tools write, read as proposals for results: what they say, and what they leave open. Pure."""
