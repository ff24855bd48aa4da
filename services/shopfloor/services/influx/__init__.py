"""Our server in the words of InfluxDB: line protocol in, InfluxQL out, over the embedded store.

A protocol's word (measurement, field, bucket) stays in this package; behind it there are tags and batches.
"""
