"""What stands behind each modality key: embodiments, the env they are read from, and how both are matched."""
