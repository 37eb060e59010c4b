"""Messages as bytes: the codec, its array envelopes, and what makes it fast."""
