"""Values out of a store into files, and out of files into a store: CSV, Parquet, line protocol."""
