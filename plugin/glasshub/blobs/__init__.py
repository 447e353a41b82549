"""Large content, kept by its hash. Knows nothing of repos, people, git or HTTP."""
