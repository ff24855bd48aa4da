"""Reports of a shift or a day: asked of the services, read from the stores, and written as HTML or PDF.

server: services ─► told ─► Task ──╮                                              ╭──► Reports, mail
process:                           ╰─► gather ─► document ─► compose ─► html | pdf ╯
"""
