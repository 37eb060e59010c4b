"""What this Python and what is installed beside it lack."""
