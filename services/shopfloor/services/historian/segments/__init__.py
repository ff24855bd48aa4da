"""Segments: immutable Parquet files with their rollups; how they are written, merged and forgotten."""
