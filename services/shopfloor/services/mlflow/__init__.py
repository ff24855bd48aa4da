"""MLflow as a source of proposals: an alias that moves brings a sealed bundle to the gate; no author's code runs."""
