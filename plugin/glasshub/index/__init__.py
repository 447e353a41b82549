"""The index: a disposable view of the repos, kept in SQLite. No HTTP and no git here."""
