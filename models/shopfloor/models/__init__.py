"""What learns: columns and features, tasks, calibration, sealed bundles, scores beside trivial baselines."""
