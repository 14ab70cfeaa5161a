"""Reading large files piece by piece: JSON, XML, Parquet, and a place on a disk for what is needed again."""
