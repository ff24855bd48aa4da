"""The programs that are measured beside ours; each is a process of its own and speaks through its own library."""
