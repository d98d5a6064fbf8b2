"""Tags archives with emotion-tag on all machines of a Ray cluster."""
