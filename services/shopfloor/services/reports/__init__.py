"""Reports of a shift or a day: gathered from the services, drawn once, and written as HTML or PDF.

services ─► gather ─► Report (document) ─► compose ─► blocks and pictures ─► html | pdf (in a process of their own)
"""
