"""Statistical process control: subgroups, control charts, rules, capability."""
