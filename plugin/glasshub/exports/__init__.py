"""Results as files that people take home: JSON Lines, CSV and Parquet, with the same columns everywhere."""
