"""Identity and secrets: the registry, kept with SQLAlchemy Core. No HTTP and no git here."""
