"""HTTP: authentication, git smart HTTP, the API and the pages. No SQL here."""
