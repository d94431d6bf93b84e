"""CodeHub's telemetry room."""
