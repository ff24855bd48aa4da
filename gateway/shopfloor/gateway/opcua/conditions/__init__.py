"""Alarms and conditions of a server: followed, told anew after every link, and answered (OPC 10000-9)."""
