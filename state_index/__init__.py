"""The contract between runner and gateways: published rows, the phase table, intents. Ground room."""
