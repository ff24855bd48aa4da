"""Folders of CSV files as Amazon Lookout for Equipment took them: sensors by component, and windows of labels."""
