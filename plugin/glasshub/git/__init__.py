"""Git storage and protocol on top of dulwich. No HTTP framework and no SQL here."""
