"""Speed as ratios: each subject beside its floor, measured alternately in one run."""
