"""The world outside: lines with physics, served over the protocols of real devices."""
